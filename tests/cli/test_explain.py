"""The command `cxrview explain`."""

from pathlib import Path

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from cxrview.cli.explain import explain
from cxrview.errors import NotAnImage, UsageError
from cxrview.phantom.archive import draw_archive

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(explain)


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("drawn") / "films"
    draw_archive(folder, patients=1, size=(128, 105), strangers=False, damages=["none"])
    return next(path for path in sorted(folder.rglob("*")) if path.is_file())


def test_explain_writes_a_picture_named_after_the_image(film, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    result = CliRunner().invoke(app, [str(film), "--square", "256"])

    (made,) = tmp_path.iterdir()
    assert result.exit_code == 0, result.output
    assert made.name == f"{film.name}.explained.png"
    with Image.open(made) as picture:
        assert picture.format == "PNG"
    assert "PFI" in result.output and made.name in result.output
    again = CliRunner().invoke(app, [str(film), "--square", "256"])
    assert isinstance(again.exception, UsageError)
    over = CliRunner().invoke(app, [str(film), "--square", "256", "--overwrite"])
    assert over.exit_code == 0


@pytest.mark.parametrize("out", ["map.jpg", "."])
def test_explain_refuses_a_name_that_is_not_a_picture(film, tmp_path, monkeypatch, out):
    monkeypatch.chdir(tmp_path)

    result = CliRunner().invoke(app, [str(film), "--out", out])

    assert isinstance(result.exception, UsageError)
    assert not list(tmp_path.iterdir())


def test_explain_reports_a_file_that_is_not_an_image(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.dcm").write_text("not an image")

    result = CliRunner().invoke(app, ["text.dcm"])

    assert isinstance(result.exception, NotAnImage)
    assert [path.name for path in tmp_path.iterdir()] == ["text.dcm"]
