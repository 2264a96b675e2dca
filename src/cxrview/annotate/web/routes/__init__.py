"""The routes of the annotation pages, one module per group of pages."""
