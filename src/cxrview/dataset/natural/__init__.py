"""Photographs for pre-training, and their classes."""
