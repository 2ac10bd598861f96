"""Plans, launches and summarises many runs."""
