"""Folders of trainings: each belongs to one."""

import json

import pytest

from cxrview.errors import UsageError
from cxrview.train.view_model import ABOUT, claim_folder

TRAINING = {"recipe": {"name": "wide", "sides": (256, 224)}, "seed": 3, "training_sha256": "ab"}


def test_a_training_resumes_in_its_folder(tmp_path):
    claim_folder(tmp_path / "model", TRAINING)
    claim_folder(tmp_path / "model", TRAINING)

    written = json.loads((tmp_path / "model" / ABOUT).read_text())
    assert written == {**TRAINING, "recipe": {"name": "wide", "sides": [256, 224]}}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 4}, "seed"),
        ({"seed": 4, "training_sha256": "cd"}, "seed, training_sha256"),
        ({"recipe": {"name": "wide", "sides": (256, 225)}}, "recipe"),
        ({"validation_sha256": "ef"}, "validation_sha256"),
    ],
)
def test_the_folder_of_another_training_is_refused_with_what_differs(tmp_path, change, named):
    claim_folder(tmp_path, TRAINING)

    with pytest.raises(
        UsageError, match=f"another training, which differs in {named}\\. Give"
    ) as refused:
        claim_folder(tmp_path, TRAINING | change)

    assert "--out" in refused.value.advice
    assert json.loads((tmp_path / ABOUT).read_text())["seed"] == 3


def test_a_damaged_description_is_of_another_training(tmp_path):
    (tmp_path / ABOUT).write_text("{")

    with pytest.raises(UsageError, match="differs in recipe, seed, training_sha256"):
        claim_folder(tmp_path, TRAINING)
