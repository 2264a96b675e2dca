"""Two readers, one label: rules, database, formats, web pages."""
