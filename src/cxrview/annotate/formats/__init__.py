"""File formats of labels and readings, for import and export."""
