"""Options, progress and output that several commands share."""
