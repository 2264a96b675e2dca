"""`cxrview robustness`: how a model's output changes when a radiograph is modified."""

from collections.abc import Sequence
from pathlib import Path

import typer

from cxrview.cli.robustness.figure import figure_command
from cxrview.cli.robustness.table import table_command
from cxrview.cli.shared.old_forms import group_naming


def _new_form(words: Sequence[str]) -> str:
    if Path(words[0]).is_dir():
        return "robustness table STORE --out FOLDER"
    return "robustness figure IMAGE... --out FOLDER"


robustness = typer.Typer(
    cls=group_naming(_new_form),
    help="Modify radiographs as in the paper's Fig 6 (marker, rotation, obscured half, cropping) "
    "and run a model on them.",
    no_args_is_help=True,
)
robustness.command("figure")(figure_command)
robustness.command("table")(table_command)
