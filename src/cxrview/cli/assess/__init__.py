"""`cxrview assess`: how often a model, an archive's result or a recipe is right."""
