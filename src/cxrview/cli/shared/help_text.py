"""Complete the help of each command: the text of its docstring, an example, and its page."""

import inspect
from collections.abc import Mapping

from typer import Typer

EXAMPLE = "Example: "
PAGE = "More: "


def complete_help(
    app: Typer, examples: Mapping[str, str], before: str = "", *, is_hidden: bool = False
) -> None:
    """Set the help of all commands, including those of groups.

    Typer keeps the line breaks of a docstring and then wraps its lines again; here lines are
    wrapped at the width of the terminal only. Two paragraphs follow the options: the example, which
    is the paragraph of the docstring that begins with EXAMPLE, or else the one of `examples`; and
    the page of the documentation, unless the command is hidden, because it is in development.

    Args:
        app: with all of its commands.
        examples: command lines, by the words of the command after `cxrview`.
        before: words of the group, if `app` is one.
        is_hidden: the group is left out of the help of `cxrview`.
    """
    app.info.epilog = None if is_hidden else page_of(before)
    for command in app.registered_commands:
        name = before + str(command.name or getattr(command.callback, "__name__", ""))
        text = unwrapped(command.help or inspect.getdoc(command.callback) or "").split("\n\n")
        shown = [part for part in text if part.startswith(EXAMPLE)]
        shown += [EXAMPLE + examples[name]] if name in examples else []
        page = [] if is_hidden else [page_of(name)]
        command.epilog = "\n\n".join([*shown[:1], *page])
        command.help = "\n\n".join(part for part in text if part not in shown)
    for group in app.registered_groups:
        if group.typer_instance:
            words, is_hidden = f"{before}{group.name} ", bool(group.hidden)
            complete_help(group.typer_instance, examples, words, is_hidden=is_hidden)


def page_of(name: str) -> str:
    """Return the line that names the page of a command; the commands of a group share one.

    Args:
        name: the words of the command after `cxrview`; empty for `cxrview` itself.
    """
    page, *_ = name.split() or ["index"]
    return f"{PAGE}docs/{page}.md in the repository of cxrview"


def unwrapped(text: str) -> str:
    """Join the lines of each paragraph; a blank line ends a paragraph."""
    return "\n\n".join(" ".join(part.split()) for part in inspect.cleandoc(text).split("\n\n"))
