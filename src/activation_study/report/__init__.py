"""What people look at: HTML, Markdown, CSV, figures, galleries, the page of a data set."""
