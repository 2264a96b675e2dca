"""What the user named: paths, folders, globs, URLs, shards."""
