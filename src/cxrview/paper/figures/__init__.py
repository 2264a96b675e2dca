"""Figures of the paper alone."""
