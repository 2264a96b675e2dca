"""The command `cxrview phantom`."""

import pytest
import typer
from typer.testing import CliRunner

from cxrview.cli.phantom import phantom
from cxrview.errors import UsageError
from cxrview.phantom.damage import DAMAGES
from cxrview.phantom.encode import SYNTAXES
from cxrview.phantom.mislabel import HEADER_FAULTS

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(phantom)


def test_the_command_says_where_files_and_truth_are(tmp_path):
    out = tmp_path / "a folder"
    options = ["--patients", "1", "--size", "80x66", "--no-strangers", "--damage", "none"]
    result = CliRunner().invoke(app, [str(out), *options, "--projection", "pa"])

    assert result.exit_code == 0, result.output
    assert "1 file" in result.output
    assert (tmp_path / "a folder.truth.csv").is_file()


def test_the_list_of_faults_names_every_choice():
    result = CliRunner().invoke(app, ["--list-faults"])

    assert result.exit_code == 0
    for name in (*SYNTAXES, *HEADER_FAULTS, *DAMAGES):
        assert name in result.output


@pytest.mark.parametrize("wrong", [["--size", "big"], ["--projection", "XX"], ["--damage", "x"]])
def test_a_wrong_option_is_a_usage_error(tmp_path, wrong):
    result = CliRunner().invoke(app, [str(tmp_path / "out"), *wrong])

    assert isinstance(result.exception, UsageError)


def test_without_a_folder_nothing_is_drawn():
    assert isinstance(CliRunner().invoke(app, []).exception, UsageError)


@pytest.mark.parametrize("name", [".", "link"])
def test_the_command_names_the_truth_where_it_is(tmp_path, monkeypatch, name):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path / ("real" if name == "." else "."))
    options = ["--patients", "1", "--size", "80x66", "--no-strangers", "--damage", "none"]
    result = CliRunner().invoke(app, [name, *options])

    truth = tmp_path / "real.truth.csv"
    assert truth.is_file()
    assert result.output.replace("\n", "").endswith(f" {truth}")
