"""The plan of a study, from what the command line says."""

from dataclasses import replace
from pathlib import Path

import pytest

from cxrview.cli.reproduce_plan import StudySettings, drawn_plan, parse_counts, plan_of_files
from cxrview.errors import UsageError

SETTINGS = StudySettings(
    seed=3,
    by="image",
    counts=(6, 2, 2),
    as_published=True,
    sample=5,
    workers=1,
    device="cpu",
)
FILES = {
    "labels": Path("labels.csv"),
    "published": Path("a.npz"),
    "pictures": Path("pictures.tar"),
    "classes": Path("classes.csv"),
}


def test_plan_of_files_has_every_setting():
    pytest.importorskip("torch", reason="needs torch: pip install '.[train]'")

    plan = plan_of_files(
        "laptop", SETTINGS, **FILES, sources=("here",), external_sources=("there",)
    )

    for name in ("seed", "by", "counts", "as_published", "sample", "workers", "device"):
        assert getattr(plan, name) == getattr(SETTINGS, name), name
    assert (plan.labels, plan.published) == (FILES["labels"], FILES["published"])
    assert (plan.pictures.pictures, plan.pictures.classes) == (FILES["pictures"], FILES["classes"])
    assert (plan.scale.name, plan.sources, plan.external_sources) == (
        "laptop",
        ("here",),
        ("there",),
    )
    assert not plan.is_drawn


@pytest.mark.parametrize(
    ("missing", "option"),
    [("labels", "LABELS"), ("published", "--published"), ("classes", "--classes")],
)
def test_plan_of_files_names_what_is_missing(missing, option):
    pytest.importorskip("torch", reason="needs torch: pip install '.[train]'")

    with pytest.raises(UsageError, match=f"needs {option}"):
        plan_of_files("laptop", SETTINGS, **FILES | {missing: None})


def test_drawn_plan_is_for_the_smoke_scale_alone(tmp_path):
    pytest.importorskip("torch", reason="needs torch: pip install '.[train]'")

    with pytest.raises(UsageError, match="laptop"):
        drawn_plan(tmp_path / "out", "laptop", replace(SETTINGS, counts=None))

    assert not (tmp_path / "out").exists()


def test_plans_refuse_an_unknown_kind_of_split_before_images_are_read(tmp_path):
    pytest.importorskip("torch", reason="needs torch: pip install '.[train]'")
    settings = replace(SETTINGS, by="study")

    with pytest.raises(UsageError, match="study"):
        plan_of_files("laptop", settings, **FILES)
    with pytest.raises(UsageError, match="study"):
        drawn_plan(tmp_path / "out", "smoke", settings)

    assert not (tmp_path / "out").exists()


def test_parse_counts_takes_three_whole_numbers():
    assert parse_counts("1129,376,377") == (1129, 376, 377)
    assert parse_counts(None) is None
    for text in ("1,2", "1,2,3,4", "a,b,c", "1.5,2,3", ""):
        with pytest.raises(UsageError, match="--counts"):
            parse_counts(text)
