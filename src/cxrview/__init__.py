"""Finds out which way chest radiographs face."""
