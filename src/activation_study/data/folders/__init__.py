"""Own images and labels, in folders as people have them."""
