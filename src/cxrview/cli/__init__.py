"""People at the door: one file per command."""
