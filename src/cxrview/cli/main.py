"""Registers all commands of `cxrview`."""

from typing import Annotated

import typer

from cxrview.cli.annotate import annotate
from cxrview.cli.assess import assess
from cxrview.cli.audit import audit
from cxrview.cli.augment import augment
from cxrview.cli.calibrate import calibrate
from cxrview.cli.choose import choose
from cxrview.cli.classify import classify
from cxrview.cli.concat import concat
from cxrview.cli.examples import EXAMPLES
from cxrview.cli.explain import explain
from cxrview.cli.fast_model import fast_model
from cxrview.cli.finetune import Finetune, finetune
from cxrview.cli.merge import merge
from cxrview.cli.phantom import phantom
from cxrview.cli.plan import plan
from cxrview.cli.prepare import prepare
from cxrview.cli.pretrain import pretrain
from cxrview.cli.quantise import quantise
from cxrview.cli.reproduce import reproduce
from cxrview.cli.robustness import robustness
from cxrview.cli.serve import serve
from cxrview.cli.shared.finite_numbers import require_finite_numbers
from cxrview.cli.shared.help_text import complete_help
from cxrview.cli.split import split
from cxrview.cli.train import train
from cxrview.cli.writeback import writeback

app = typer.Typer(
    name="cxrview",
    help="Find out which way chest radiographs face: frontal or lateral, one row per image.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def tell_version(is_asked: bool) -> None:
    """Print the version, and exit."""
    if is_asked:
        from importlib.metadata import version  # takes longer than most commands' help

        print(f"cxrview {version('cxrview')}")
        raise typer.Exit


@app.callback()
def before_any_command(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", is_eager=True, callback=tell_version),
    ] = False,
) -> None:
    """Options that apply to every command."""


app.command(rich_help_panel="Archive")(classify)
app.command(rich_help_panel="Archive")(plan)
app.command(rich_help_panel="Archive")(concat)
app.command(rich_help_panel="Archive")(merge)
app.command(rich_help_panel="Archive")(calibrate)
app.command(rich_help_panel="Archive")(audit)
app.command(rich_help_panel="Archive")(writeback)
app.add_typer(serve, name="serve", rich_help_panel="Archive")
app.command(rich_help_panel="Archive")(explain)
app.add_typer(annotate, name="annotate", rich_help_panel="Study")
app.command(rich_help_panel="Study")(prepare)
app.command(rich_help_panel="Study")(split)
app.command(rich_help_panel="Study")(augment)
app.command(rich_help_panel="Study")(train)
app.command(rich_help_panel="Study")(pretrain)
app.command(rich_help_panel="Study", cls=Finetune)(finetune)
app.command(rich_help_panel="Study")(quantise)
app.command(rich_help_panel="Study")(choose)
app.add_typer(fast_model, name="fast-model", hidden=True)
app.add_typer(assess, name="assess", rich_help_panel="Study")
app.add_typer(robustness, name="robustness", rich_help_panel="Study")
app.command(rich_help_panel="Study")(reproduce)
app.command(rich_help_panel="Test material")(phantom)
complete_help(app, EXAMPLES)
require_finite_numbers(app)
