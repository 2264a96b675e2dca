"""`cxrview robustness`: what changes to a radiograph do to a model's answer."""
