"""Seeds that are added after a look at the results: planned looks, and what unplanned ones do to the error."""
