"""`nan` and `inf` are refused by the options that take a number."""

import pytest
from typer.testing import CliRunner

from cxrview.cli.main import app

PLAN = "plan --images 1 --syntax native --benchmark {file}"
PRETRAIN = "pretrain grey --published {file} --out {new}"
FINETUNE = (
    "finetune {folder} --recipe fc-original --split {file} --pre-trained {folder} --out {new}"
)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
@pytest.mark.parametrize(
    ("command", "option"),
    [
        *((f"{PLAN} --cores 1", f"--{name}") for name in ("gpu-rate", "megapixels", "overhead")),
        (f"{PLAN} --cores 1", "--storage-rate"),
        (PLAN, "--hours"),
        *((PRETRAIN, f"--{name}") for name in ("rate", "momentum", "weight-decay")),
        *((PRETRAIN, f"--{name}") for name in ("rate-divisor", "auxiliary-weight")),
        (FINETUNE, "--rate"),
        ("calibrate {folder} --labels {file} --out {new}", "--max-error"),
        ("calibrate {folder} --labels {file} --out {new} --max-error 0.1", "--confidence"),
        ("annotate create {new} {folder}", "--repeat-share"),
        ("annotate serve {file}", "--hours"),
        ("annotate status {file}", "--late-minutes"),
        ("classify {folder} --out {new}", "--max-error"),
        ("phantom {new}", "--monochrome1"),
    ],
)
def test_an_option_refuses_a_number_that_is_not_finite(tmp_path, command, option, value):
    places = {"file": tmp_path / "file", "folder": tmp_path, "new": tmp_path / "new"}
    places["file"].touch()
    words = [word.format(**places) for word in command.split()]

    done = CliRunner().invoke(app, [*words, option, value])

    assert done.exit_code == 2, done.output
    assert option in done.output
    assert not places["new"].exists()


def test_two_numbers_of_one_option_are_finite_both(tmp_path):
    words = ["classify", str(tmp_path), "--out", str(tmp_path / "new"), "--review-band", "5", "nan"]

    done = CliRunner().invoke(app, words)

    assert done.exit_code == 2, done.output
    assert "--review-band" in done.output


@pytest.mark.parametrize("option", ["--rate", "--momentum", "--weight-decay", "--auxiliary-weight"])
def test_pretrain_refuses_a_number_below_0(tmp_path, option):
    (tmp_path / "file").touch()
    words = PRETRAIN.format(file=tmp_path / "file", new=tmp_path / "new").split()

    done = CliRunner().invoke(app, [*words, option, "-1"])

    assert done.exit_code == 2, done.output
    assert option in done.output
