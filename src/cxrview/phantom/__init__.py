"""Drawn radiographs as DICOM, with any fault."""
