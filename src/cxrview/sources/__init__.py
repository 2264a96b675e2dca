"""The inputs that a user named: paths, folders, globs, URLs, shards, tables of files."""
