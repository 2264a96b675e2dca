from pathlib import Path

import pytest

from cxrview.errors import UsageError
from cxrview.service.configuration import DestinationKind, read_configuration
from cxrview.service.records import Form, ImageState

COMPLETE = """\
[queue]
folder = "queue"

[dicom]
senders = [
  "CR1",  # a comment
  "CR2",
]
port = 0

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
name = "others"
destinations = ["pacs"]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "serve.toml"
    path.write_text(text)
    return path


def test_read_configuration_reads_every_section(tmp_path):
    read = read_configuration(write(tmp_path, COMPLETE))

    assert read.queue.folder == tmp_path / "queue"
    assert read.dicom is not None
    assert read.dicom.senders == ("CR1", "CR2")
    assert read.http is None
    assert read.destinations["web"].kind is DestinationKind.DICOMWEB
    assert read.rules[0].decision == (ImageState.REVIEW,)
    assert read.rules[0].send == (Form.SR, Form.ORIGINAL)
    assert read.rules[1].send == (Form.CORRECTED,)


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "words"),
    [
        ("port = 4242", "port = 70000", 13, "destinations.pacs.port", "1 to 65535"),
        ("port = 4242", 'port = "4242"', 13, "destinations.pacs.port", "whole number"),
        ("port = 4242", "prot = 4242", 13, "destinations.pacs.prot", "Did you mean port?"),
        ('host = "127.0.0.1"\n', "", 11, "destinations.pacs.host", "is missing"),
        ('"CR2"', '"A TITLE THAT IS TOO LONG"', 5, "dicom.senders", "16 characters"),
        ('"CR2"', "7", 5, "dicom.senders[2]", "text"),
        ("[dicom]", "[dikom]", 4, "dikom", "Did you mean dicom?"),
        ('["web"]', '["wbe"]', 24, "rules[1].destinations[1]", "Did you mean web?"),
        ('"sr"', '"srr"', 23, "rules[1].send[1]", "original, corrected, sr"),
        ('name = "others"', 'name = "doubtful"', 27, "rules[2].name", "earlier rule"),
        ('name = "others"\n', "", 26, "rules[2].name", "is missing"),
        ('folder = "queue"', "", 1, "queue.folder", "is missing"),
        ('folder = "queue"', "folder = true", 2, "queue.folder", "path"),
    ],
)
def test_read_configuration_names_line_and_key(tmp_path, old, new, line, key, words):
    assert old in COMPLETE
    path = write(tmp_path, COMPLETE.replace(old, new, 1))

    with pytest.raises(UsageError) as raised:
        read_configuration(path)

    assert str(raised.value).startswith(f"{path}, line {line}: {key}: ")
    assert words in str(raised.value)


@pytest.mark.parametrize(("host", "is_valid"), [("0.0.0.0", False), ("::1", True)])
def test_read_configuration_needs_a_token_for_other_machines(tmp_path, host, is_valid):
    path = write(tmp_path, f'[queue]\nfolder = "queue"\n[http]\nhost = "{host}"\n')

    if is_valid:
        assert read_configuration(path).http.host == host
        return
    with pytest.raises(UsageError) as raised:
        read_configuration(path)
    assert str(raised.value).startswith(f"{path}, line 3: http.token_file: is missing")


def test_read_configuration_names_the_line_of_a_syntax_error(tmp_path):
    with pytest.raises(UsageError, match="line 2"):
        read_configuration(write(tmp_path, "[queue]\nfolder = \n"))


def test_read_configuration_of_a_missing_file(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        read_configuration(tmp_path / "serve.toml")


def test_read_configuration_needs_an_entrance(tmp_path):
    with pytest.raises(UsageError, match="nothing could arrive"):
        read_configuration(write(tmp_path, '[queue]\nfolder = "queue"\n'))
