"""Measure how often a model is right: accuracy, cutoffs, older classifiers, robustness."""
