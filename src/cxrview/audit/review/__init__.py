"""Accept or reject proposed views in the browser (`cxrview audit --serve`)."""
