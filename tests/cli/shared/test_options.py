"""Options that several commands have: paths are checked before a command does any work."""

from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from cxrview.cli.shared.options import PhotographsOption, SeedOption, in_file
from cxrview.errors import UsageError

app = typer.Typer()


@app.command()
def command(
    labels: Annotated[list[Path], in_file("LABELS", "Some files.")],
    photographs: PhotographsOption = None,
    seed: SeedOption = 0,
) -> None:
    print([path.name for path in labels], photographs and photographs.name, seed)


def run(*words: object):
    return CliRunner().invoke(app, [*map(str, words)], catch_exceptions=False)


def test_in_file_passes_on_files_that_exist(tmp_path):
    (tmp_path / "a.csv").touch()

    done = run(tmp_path / "a.csv", tmp_path / "a.csv", "--photographs", tmp_path, "--seed", 3)

    assert done.output == f"['a.csv', 'a.csv'] {tmp_path.name} 3\n"


def test_in_file_names_the_path_that_does_not_exist(tmp_path):
    (tmp_path / "a.csv").touch()

    with pytest.raises(UsageError, match=r"b\.csv does not exist"):
        run(tmp_path / "a.csv", tmp_path / "b.csv")


def test_in_file_refuses_a_folder(tmp_path):
    with pytest.raises(UsageError, match=f"{tmp_path} is a folder"):
        run(tmp_path)


def test_in_path_refuses_a_name_that_no_file_system_takes():
    with pytest.raises(UsageError, match="does not exist"):
        run("a" * 300)


def test_seed_option_takes_no_negative_number(tmp_path):
    (tmp_path / "a.csv").touch()

    assert run(tmp_path / "a.csv", "--seed", -1).exit_code == 2
