"""`cxrview assess`: how often a model, the result of an archive or a recipe is right."""

from collections.abc import Sequence

import typer

from cxrview.cli.assess.archive import archive_command
from cxrview.cli.assess.model import model_command
from cxrview.cli.assess.recipe import recipe_command
from cxrview.cli.shared.old_forms import group_naming


def _new_form(words: Sequence[str]) -> str:
    if any(word.startswith("--labels") for word in words):
        return "assess archive VIEWS --labels STUDY"
    if "--leave-source-out" in words:
        return "assess recipe LABELS --published NPZ --out FOLDER"
    return "assess model STORE --split FILE --model FOLDER --out FOLDER"


assess = typer.Typer(
    cls=group_naming(_new_form),
    help="Measure how often a model is right, what the error of an archive's result is, or how a "
    "recipe does on images from elsewhere.",
    no_args_is_help=True,
)
assess.command("model")(model_command)
assess.command("archive")(archive_command)
assess.command("recipe")(recipe_command)
