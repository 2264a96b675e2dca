"""Read DICOM files: parsing, decoding, stored values, grey values."""
