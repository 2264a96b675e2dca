"""The command that a message gives for a missing extra works where it is printed."""

import json
import shlex
import sys
from importlib import metadata
from pathlib import Path

import pytest

import cxrview.install_command
from cxrview.install_command import install_command

ROOT = Path(__file__).resolve().parents[1]
REQUIRES = [
    "numpy>=2.0",
    "scipy>=1.14; extra == 'train'",
    'torch>=2.6; extra == "train"',
    "psycopg[binary]>=3.2; extra == 'postgresql'",
]


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """An installation in a folder of its own, of which pip has noted where it came from."""

    def install(origin=None):
        folder = tmp_path / "site packages" / "cxrview-0.1.0.dist-info"
        folder.mkdir(parents=True)
        lines = ["Metadata-Version: 2.4", "Name: cxrview", "Version: 0.1.0"]
        lines += [f"Requires-Dist: {one}" for one in REQUIRES]
        (folder / "METADATA").write_text("\n".join(lines))
        if origin is not None:
            (folder / "direct_url.json").write_text(json.dumps(origin))
        module = folder.with_name("cxrview") / "install_command.py"
        monkeypatch.setattr(cxrview.install_command, "__file__", str(module))
        found = metadata.PathDistribution(folder)
        monkeypatch.setattr(metadata, "distribution", lambda name: found)

    return install


def words(*extras):
    python, *rest = shlex.split(install_command(*extras))
    assert python == sys.executable
    assert rest[:3] == ["-m", "pip", "install"]
    return rest[3:]


def test_a_checkout_is_named_by_its_folder():
    assert words("train") == ["--editable", f"{ROOT}[train]"]


@pytest.mark.parametrize(
    ("facts", "option"), [({}, []), ({"editable": False}, []), ({"editable": True}, ["--editable"])]
)
def test_a_folder_that_it_was_installed_from_is_named(installed, tmp_path, facts, option):
    folder = tmp_path / "my cxrview"
    folder.mkdir()
    installed({"url": folder.as_uri(), "dir_info": facts})

    assert words("annotate", "postgresql") == [*option, f"{folder}[annotate,postgresql]"]
    assert f"'{folder}[annotate,postgresql]'" in install_command("annotate", "postgresql")


def test_a_wheel_is_named_while_it_is_there(installed, tmp_path):
    wheel = tmp_path / "cxrview-0.1.0-py3-none-any.whl"
    wheel.touch()
    installed({"url": wheel.as_uri(), "archive_info": {}})

    assert words("train") == [f"{wheel}[train]"]
    wheel.unlink()
    assert words("train") == ["scipy>=1.14", "torch>=2.6"]
    assert words("train", "postgresql")[-1] == "psycopg[binary]>=3.2"


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (
            {
                "url": "https://example.org/cxrview.git",
                "vcs_info": {"vcs": "git", "commit_id": "0a1b2c"},
            },
            "cxrview[train] @ git+https://example.org/cxrview.git@0a1b2c",
        ),
        (
            {"url": "https://example.org/cxrview-0.1.0.whl", "archive_info": {}},
            "cxrview[train] @ https://example.org/cxrview-0.1.0.whl",
        ),
        (None, "cxrview[train]"),
    ],
)
def test_a_repository_an_address_or_an_index_is_asked_again(installed, origin, expected):
    installed(origin)

    assert words("train") == [expected]


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=str
)
def test_no_page_installs_cxrview_by_its_name_alone(page):
    """It is on no index: the name would bring nothing, or what another has put there."""
    assert "install 'cxrview" not in page.read_text(encoding="utf-8")


def test_no_message_installs_cxrview_by_its_name_alone():
    naming = [
        path
        for path in (ROOT / "src").rglob("*.py")
        if "install 'cxrview" in path.read_text(encoding="utf-8")
    ]

    assert naming == []
