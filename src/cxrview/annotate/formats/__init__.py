"""Files that labels are imported from and exported to."""
