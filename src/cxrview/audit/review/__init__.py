"""Accept or reject proposed views in the browser (`cxrview audit --serve`)."""

PORT = 8768
"""Where it is served unless told otherwise; here, so that `--help` need not load the server."""
