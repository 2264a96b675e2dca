"""Options and output that several commands have."""
