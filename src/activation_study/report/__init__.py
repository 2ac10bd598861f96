"""Presentation of results: HTML, Markdown, CSV, figures, sample images, and the page of a data set."""
