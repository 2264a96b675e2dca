"""The training recipe of the shipped model."""
