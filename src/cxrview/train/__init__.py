"""Trains the network; needs the extra `train` (torch)."""
