"""The annotation pages."""
