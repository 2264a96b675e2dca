from dataclasses import replace

import numpy as np
import pytest

from cxrview.classify.devices import is_exact_at_int8
from cxrview.classify.model import load_model
from cxrview.errors import UsageError
from cxrview.json_file import read_json, write_json
from cxrview.terms import Partition
from cxrview.train.fast.report import count_all
from cxrview.train.fast.training import (
    CHECKPOINT,
    choose_calibration_pictures,
    export_training,
    read_recipe,
    run_training,
    validate_training,
)
from fixtures.fast_pictures import TINY

BRIEF = replace(TINY, steps=1)


@pytest.fixture(scope="module")
def training(pictures_folder, tmp_path_factory):
    """A training of one step."""
    out = tmp_path_factory.mktemp("training")
    run_training(pictures_folder, out, BRIEF, seed=0)
    return out


def test_run_training_refuses_folder_of_another_training(pictures_folder, training):
    with pytest.raises(UsageError, match="other settings"):
        run_training(pictures_folder, training, replace(BRIEF, width=0.2), seed=0)
    with pytest.raises(UsageError, match="other settings"):
        run_training(pictures_folder, training, BRIEF, seed=1)


def test_run_training_writes_nothing_without_pictures(pictures_folder, tmp_path):
    with pytest.raises(UsageError, match="prepared pictures"):
        run_training(tmp_path, tmp_path / "out", BRIEF, seed=0)
    with pytest.raises(UsageError, match="photograph"):
        run_training(
            pictures_folder, tmp_path / "out", replace(BRIEF, without=("photographs",)), seed=0
        )
    with pytest.raises(UsageError, match="source thre has no picture"):
        run_training(pictures_folder, tmp_path / "out", replace(BRIEF, without=("thre",)), seed=0)

    assert not (tmp_path / "out").exists()


def test_run_training_of_complete_training_changes_nothing(pictures_folder, training):
    before = (training / CHECKPOINT).read_bytes()

    run_training(pictures_folder, training, BRIEF, seed=0)

    assert (training / CHECKPOINT).read_bytes() == before


def test_read_recipe_gives_the_recipe_of_the_training(training, tmp_path):
    assert read_recipe(training) == BRIEF
    with pytest.raises(UsageError, match="does not hold a training"):
        read_recipe(tmp_path)


def test_read_recipe_refuses_training_of_another_version(training, tmp_path):
    about = read_json(training / "about.json")
    del about["settings"]["width"]
    write_json(tmp_path / "about.json", about)

    with pytest.raises(UsageError, match="another version"):
        read_recipe(tmp_path)


def test_export_training_refuses_folder_without_checkpoint(training, pictures, tmp_path):
    (tmp_path / "about.json").write_bytes((training / "about.json").read_bytes())

    with pytest.raises(UsageError, match="no checkpoint"):
        export_training(tmp_path, pictures)


@pytest.mark.vnni
@pytest.mark.skipif(not is_exact_at_int8(), reason="this processor computes int8 wrongly")
def test_validate_training_writes_a_model_that_classify_loads(training, pictures):
    counts = validate_training(training, pictures)

    stored = read_json(training / "validation.json")
    assert (stored["steps"], stored["of"], len(stored["poses"])) == (1, 1, 16)
    assert [row["pictures"] for row in stored["views"]] == [row.pictures for row in counts.views]
    for precision in ("fp32", "int8"):
        model = load_model(training / "model", precision=precision)
        answers = model.answer(np.asarray(pictures.pixels[:5]))
        assert answers.chest is not None
        assert ((answers.pfi >= 0) & (answers.pfi <= 100)).all()


@pytest.mark.slow
@pytest.mark.vnni
@pytest.mark.skipif(not is_exact_at_int8(), reason="this processor computes int8 wrongly")
def test_a_source_without_radiographs_may_be_left_out(
    pictures_folder, training, pictures, tmp_path
):
    recipe = replace(BRIEF, without=("photographs",), photographs=0)
    run_training(pictures_folder, tmp_path, recipe, seed=0)
    alone = export_training(tmp_path, pictures)

    card = export_training(training, pictures, left_out=[tmp_path])
    report = count_all(training, [tmp_path], pictures)

    assert card.risk_curves.keys() == alone.risk_curves.keys()
    assert (report.left_out, report.unseen) == (("photographs",), ())
    assert [(one.group, one.pictures) for one in report.unseen_others] == [("photographs", 2)]


def test_choose_calibration_pictures_takes_training_patients_only(pictures):
    trained = pictures.pixels[pictures.is_in(Partition.TRAINING)].reshape(-1, 256 * 256)
    allowed = {np.sort(np.minimum(one, 255 - one)).tobytes() for one in trained}

    chosen = choose_calibration_pictures(pictures, BRIEF)

    shown = {np.sort(np.minimum(one, 255 - one).ravel()).tobytes() for one in chosen}
    assert len(chosen) == pictures.is_in(Partition.TRAINING).sum()
    assert shown <= allowed
