"""`cxrview annotate`: the commands of annotation studies."""

import typer

from cxrview.cli.annotate.agree import agree
from cxrview.cli.annotate.create import create
from cxrview.cli.annotate.export import export
from cxrview.cli.annotate.import_ import import_, imports
from cxrview.cli.annotate.reader import reader
from cxrview.cli.annotate.serve import serve
from cxrview.cli.annotate.status import status
from cxrview.cli.annotate.verify import verify

annotate = typer.Typer(
    help="Label radiographs by independent readers, settle conflicts, and export the labels.",
    no_args_is_help=True,
)
annotate.command()(create)
annotate.command()(reader)
annotate.command()(serve)
annotate.command("import")(import_)
annotate.command()(imports)
annotate.command()(export)
annotate.command()(agree)
annotate.command()(status)
annotate.command()(verify)
