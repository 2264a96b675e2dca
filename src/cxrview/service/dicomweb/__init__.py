"""DICOMweb (PS3.18): images taken from a server, sent to one, and received."""
