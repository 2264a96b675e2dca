"""Return the command that installs an extra of cxrview into this installation.

cxrview is not on a package index, so that its name would install nothing, or another package of
that name. pip records where an installation came from (PEP 610).
"""

import json
import re
import shlex
import sys
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

NAME = "cxrview"
_EXTRA = re.compile(r"""(?P<wanted>[^;]+?)\s*;\s*\(?extra == ["'](?P<extra>[^"']+)["']\)?""")


def install_command(*extras: str) -> str:
    """Return the shell command that adds extras to this installation.

    Args:
        extras: such as `train`, one or more.

    Returns:
        A call of this Python's pip with the source of the installation: a folder, a wheel, a
        repository or an index. If the source is not recorded, with the libraries of the extras.
    """
    return shlex.join([sys.executable or "python3", "-m", "pip", "install", *_source(extras)])


def _source(extras: tuple[str, ...]) -> list[str]:
    named = f"[{','.join(extras)}]"
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").is_file() and (checkout / "src" / NAME).is_dir():
        return ["--editable", f"{checkout}{named}"]
    try:
        distribution = metadata.distribution(NAME)
    except metadata.PackageNotFoundError:
        return _libraries([], extras)
    noted = distribution.read_text("direct_url.json")
    if noted is None:
        return [f"{NAME}{named}"]  # installed by name, from an index or a folder of wheels
    origin = json.loads(noted)
    if vcs := origin.get("vcs_info"):
        at = vcs.get("commit_id", "")
        return [f"{NAME}{named} @ {vcs['vcs']}+{origin['url']}" + (f"@{at}" if at else "")]
    if (url := urlsplit(origin["url"])).scheme != "file":
        return [f"{NAME}{named} @ {origin['url']}"]
    place = Path(unquote(url.path))
    if not place.exists():
        return _libraries(distribution.requires or [], extras)
    return [*_editable(origin), f"{place}{named}"]


def _editable(origin: dict[str, Any]) -> list[str]:
    return ["--editable"] if origin.get("dir_info", {}).get("editable") else []


def _libraries(requires: list[str], extras: tuple[str, ...]) -> list[str]:
    """Return the libraries that some extras require; the extras themselves if unknown."""
    found = [_EXTRA.fullmatch(line) for line in requires]
    wanted = [one["wanted"] for one in found if one and one["extra"] in extras]
    return list(dict.fromkeys(wanted)) or [f"{NAME}[{','.join(extras)}]"]
