"""The DICOM entrance: C-STORE, C-ECHO and storage commitment."""

import logging

# Connections that fail and associations that are rejected are reported by the service itself, once
# and without addresses; pynetdicom would report each try.
for _name in ("transport", "acse", "association"):
    logging.getLogger(f"pynetdicom.{_name}").setLevel(logging.CRITICAL)
