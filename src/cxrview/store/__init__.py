"""Our own files, written and read back: the only room that knows their format."""
