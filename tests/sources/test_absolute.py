"""One form of a path, for a resume in another folder and for results of runs that stood there."""

import pytest

from cxrview.sources.paths import absolute


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("films", "{here}/films"),
        ("at 12:30", "{here}/at 12:30"),
        ("a::b", "{here}/a::b"),
        ("/films/", "/films"),
        ("file:///films/../films", "/films"),
        ("file://films", "{here}/films"),
        ("s3://films/of/2019", "s3://films/of/2019"),
        ("zip://**::films.zip", "zip://**::{here}/films.zip"),
        ("zip://**::file:///films.zip", "zip://**::/films.zip"),
        ("zip://**::file://films.zip", "zip://**::{here}/films.zip"),
        ("zip://**::s3://films/a.zip", "zip://**::s3://films/a.zip"),
    ],
)
def test_a_path_is_another_one_in_another_folder(tmp_path, monkeypatch, path, expected):
    monkeypatch.chdir(tmp_path)

    assert absolute(path) == expected.format(here=tmp_path)
    assert absolute(path, "/elsewhere") == expected.format(here="/elsewhere")
