"""Corrected DICOM from a result: copies with the right view, and a list of what changed."""
