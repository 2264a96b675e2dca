"""Drawn thoraxes as DICOM, with any fault: test material that is nobody's picture."""
