from dataclasses import dataclass

import numpy as np
import pytest

from cxrview.classify.model import Model, model_folder
from cxrview.classify.model_files import read_card
from cxrview.dataset.split import partition_of
from cxrview.records.answers import Answers
from cxrview.records.model_card import ModelCard
from cxrview.records.risk_curve import Head
from cxrview.terms import Partition, View
from cxrview.train.fast.labels import PictureLabel
from cxrview.train.fast.pictures import Pictures
from cxrview.train.fast.view_risk import (
    ViewPart,
    count_view_risk,
    rows_new_to_second,
    with_view_curve,
)
from fixtures.fast_pictures import patients


@dataclass
class Table:
    """A backend that answers by the first pixel of a picture, which is its row."""

    pfi: list[float]
    chest: list[float]
    name: str = "table"
    batch: int = 4
    lanes: int | None = 1

    def run(self, batch) -> Answers:
        rows = batch[:, 0, 0]
        return Answers(pfi=np.array(self.pfi)[rows], chest=np.array(self.chest)[rows])


def model(pfi: list[float], chest: list[float], second: Model | None = None) -> Model:
    card = ModelCard(
        model_id="fast" if second else "slow",
        weights_sha256="",
        input_side=256,
        cutoff=50.0,
        paper_cutoff=50.0,
        review_band=(2.0, 98.0),
        precision="",
        chest_cutoff=40.0,
        second="slow" if second else "",
    )
    return Model(card=card, backend=Table(pfi, chest), second=second)


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    """Four frontals and two laterals of six patients, and a second frontal of the first one."""
    names = patients(6)
    kinds = [View.FRONTAL] * 4 + [View.LATERAL] * 2 + [View.FRONTAL]
    labels = tuple(
        PictureLabel(file=f"{row}.png", source="one", patient=name, view=kind)
        for row, (name, kind) in enumerate(zip([*names, names[0]], kinds, strict=True))
    )
    pixels = np.zeros((7, 256, 256), np.uint8)
    pixels[:, 0, 0] = np.arange(7)
    none = np.zeros(7)
    return Pictures(labels=labels, pixels=pixels, teacher=Answers(pfi=none, chest=none))


def counts_at(curve, threshold: float) -> tuple[int, int]:
    place = curve.thresholds.index(threshold)
    return curve.decided[place], curve.errors[place]


def test_count_view_risk_counts_what_both_models_decide(pictures):
    """By hand. The first model is sure of rows 0 and 4, and wrong about 4; it leaves 1, 2, 3 and 5
    to the second one, which is right about 1, wrong about 2 at 90 %, refuses 3 and is unsure of
    5."""
    second = model([0, 99, 10, 99, 0, 60, 0], [99, 99, 99, 10, 99, 99, 99])
    first = model([99, 60, 60, 99, 99, 50, 99], [99, 99, 99, 0, 99, 99, 99], second)

    curve = count_view_risk(pictures, [ViewPart(model=first, rows=np.arange(6))])

    assert counts_at(curve, 98.0) == (3, 1)
    assert counts_at(curve, 50.0) == (5, 3)


def test_count_view_risk_counts_one_image_of_each_patient(pictures):
    alone = model([99.0] * 7, [99.0] * 7)

    curve = count_view_risk(pictures, [ViewPart(model=alone, rows=np.array([0, 1, 6]))])

    assert counts_at(curve, 98.0) == (2, 0)


def test_count_view_risk_adds_up_parts_of_different_models(pictures):
    right, wrong = model([99.0] * 7, [99.0] * 7), model([1.0] * 7, [99.0] * 7)
    parts = [
        ViewPart(model=right, rows=np.array([0, 1])),
        ViewPart(model=wrong, rows=np.array([2])),
        ViewPart(model=wrong, rows=np.array([], np.intp)),
    ]

    assert counts_at(count_view_risk(pictures, parts), 98.0) == (3, 1)


def test_with_view_curve_names_the_second_model(pictures):
    second = model([99.0] * 7, [99.0] * 7)
    curve = count_view_risk(pictures, [ViewPart(model=second, rows=np.arange(3))])

    card = with_view_curve(model([], [], second).card, second, curve)

    assert (card.second_model_id, card.risk_curves) == ("slow", {Head.VIEW: curve})


def test_rows_new_to_second_leaves_out_patients_that_googlenet_learnt_from():
    known = {one.source for one in read_card(model_folder("googlenet")).about.training}
    assert "open-i" in known and "nih" not in known
    names = [*patients(2), *patients(2, Partition.TEST), *patients(2)]
    sources = ["open-i"] * 4 + ["nih"] * 2
    labels = tuple(
        PictureLabel(file=f"{row}.png", source=source, patient=name, view=View.FRONTAL)
        for row, (name, source) in enumerate(zip(names, sources, strict=True))
    )
    assert {partition_of(name) for name in names[:2]} <= {Partition.TRAINING, Partition.VALIDATION}
    none = np.zeros(6)
    pictures = Pictures(
        labels=labels,
        pixels=np.zeros((6, 256, 256), np.uint8),
        teacher=Answers(pfi=none, chest=none),
    )

    assert rows_new_to_second(pictures, np.arange(6)).tolist() == [2, 3, 4, 5]
    assert rows_new_to_second(pictures, np.array([0, 1])).tolist() == []
