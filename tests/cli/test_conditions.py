"""What a resume must agree on with the run that it goes on with."""

import pytest

from cxrview.cli.conditions import _absolute


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("-", "-"),
        ("films", "{here}/films"),
        ("at 12:30", "{here}/at 12:30"),
        ("/films/", "/films"),
        ("file://films", "file://{here}/films"),
        ("s3://films/of/2019", "s3://films/of/2019"),
        ("zip://**::films.zip", "zip://**::{here}/films.zip"),
        ("zip://**::file:///films.zip", "zip://**::file:///films.zip"),
        ("zip://**::file://films.zip", "zip://**::file://{here}/films.zip"),
        ("zip://**::s3://films/a.zip", "zip://**::s3://films/a.zip"),
    ],
)
def test_a_path_is_another_one_in_another_folder(tmp_path, monkeypatch, path, expected):
    monkeypatch.chdir(tmp_path)

    assert _absolute(path) == expected.format(here=tmp_path)
