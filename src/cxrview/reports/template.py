"""Fills in the templates of a package."""

from collections.abc import Callable, Mapping
from typing import Any


def fill_template(
    package: str,
    name: str,
    context: Mapping[str, Any],
    *,
    is_html: bool,
    finalize: Callable[[object], object],
) -> str:
    """Fill in one template; a name that it asks for and does not get is an error.

    Args:
        package: whose folder `templates` holds the template, such as `cxrview.paper`.
        name: of a file in `templates/`.
        context: what it asks for, by name.
        is_html: turn what is filled in into HTML's entities.
        finalize: applied to each value first.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(package),
        autoescape=is_html,
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name).render(context)
