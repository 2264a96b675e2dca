"""The tables of the page, one file for what belongs together; all of them are words."""
