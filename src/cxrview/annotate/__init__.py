"""Annotation studies, in which two readers label each image: rules, database, formats, pages."""
