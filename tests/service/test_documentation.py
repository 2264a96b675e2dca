"""docs/serve.md names every key of the configuration, and its example is valid."""

import dataclasses
import re
from pathlib import Path

import pytest

from cxrview.service import configuration
from cxrview.service.configuration import read_configuration

PAGE = Path(__file__).resolve().parents[2] / "docs" / "serve.md"
SECTIONS = {
    "[queue]": configuration.QueueSettings,
    "[dicom]": configuration.DicomSettings,
    "[dicom.tls]": configuration.ServerTls,
    "[http]": configuration.HttpSettings,
    "[classify]": configuration.ClassifySettings,
    "[correction]": configuration.CorrectionOptions,
    "[destinations.NAME]": configuration.DestinationSettings,
    "[destinations.NAME.tls]": configuration.ClientTls,
    "[[rules]]": configuration.Rule,
    "[poll.NAME]": configuration.PollSettings,
}


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_is_described(section):
    text = PAGE.read_text().split(f"### `{section}`\n", 1)[1].split("\n#", 1)[0]

    described = re.findall(r"^\| (?:\*\*)?`(\w+)`(?:\*\*)? \|.*\| \S.* \|$", text, re.MULTILINE)

    assert described == [field.name for field in dataclasses.fields(SECTIONS[section])]


def test_the_example_is_valid(tmp_path):
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "serve.toml").write_text(example)

    read = read_configuration(tmp_path / "serve.toml")

    assert [rule.name for rule in read.rules] == ["radiographs", "everything else"]
