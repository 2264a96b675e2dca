"""Labelled radiographs as training data: labels, split, store, variants."""
