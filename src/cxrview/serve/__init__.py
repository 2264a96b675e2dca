"""Pages for people, served to their browsers."""
