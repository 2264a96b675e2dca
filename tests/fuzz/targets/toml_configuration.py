"""TOML files: the configuration of the service, and a rule for chest radiographs."""

import tempfile
from importlib.resources import files
from pathlib import Path

from cxrview.classify.chest_rule import load_chest_rule
from cxrview.errors import UsageError
from cxrview.service.configuration import read_configuration

_SERVICE = """\
[queue]
folder = "queue"

[dicom]
senders = ["CR1",  # a comment
  "CR2"]
port = 0

[http]
port = 8080
max_body_mb = 1

[classify]
review_band = [20.0, 80]
timeout_seconds = 30

[destinations.pacs]
host = "127.0.0.1"
port = 4242
ae_title = "ORTHANC"

[destinations.web]
kind = "dicomweb"
url = "http://127.0.0.1:8042/dicom-web"

[[rules]]
name = "doubtful"
decision = ["review"]
send = ["sr", "original"]
destinations = ["web"]

[[rules]]
name = 'others'
destinations = ["pacs"]
"""


def seeds() -> tuple[bytes, ...]:
    """A configuration with every section, the rule of the package, and a list in lists."""
    rule = files("cxrview.classify").joinpath("chest_rule.toml").read_bytes()
    return (_SERVICE.encode(), rule, b"deep = " + b"[" * 5000)


def check(data: bytes) -> None:
    """Read both: a record, or an error that names the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.toml"
        path.write_bytes(data)
        for read in (read_configuration, load_chest_rule):
            try:
                read(path)
            except UsageError as error:
                assert str(path) in error.reason
