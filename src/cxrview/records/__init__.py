"""The frozen dataclasses that cross packages; they check their values and do not access files."""
