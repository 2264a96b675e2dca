"""Modified radiographs with two models: each picture is judged by the cutoff of who answered."""

import csv
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from cxrview.assess.cascade import deciding_models
from cxrview.assess.modify import MODIFICATIONS
from cxrview.assess.robustness import count_modified
from cxrview.assess.robustness_files import COUNT_COLUMNS, POSE_COLUMNS, SECOND_COLUMNS, view_of
from cxrview.assess.robustness_run import cutoffs_of, score_modified_images
from cxrview.assess.robustness_store import PartitionImages, assess_store
from cxrview.assess.score_files import read_scores
from cxrview.classify.model import Model
from cxrview.records.answers import Answers
from cxrview.records.dataset import Prepared, PreparedImage
from cxrview.records.model_card import ModelCard
from cxrview.terms import Partition, View
from fixtures.pose_oracle import oracle_model, picture

UPRIGHT = MODIFICATIONS[0]
PFI = (98.0, 50.0, 50.0, 2.0)
"""By the first model, which is not sure of the second and the third picture."""
VIEWS = (View.FRONTAL, View.LATERAL, View.FRONTAL, View.LATERAL)


@dataclass
class Seventy:
    """A backend that gives every picture a PFI of 70 %."""

    name: str = "seventy"
    batch: int = 8
    lanes: int | None = 1
    pictures: list[int] = field(default_factory=list)

    def run(self, batch: np.ndarray) -> Answers:
        self.pictures.append(len(batch))
        return Answers(pfi=np.full(len(batch), 70.0), chest=np.full(len(batch), 99.0))


@pytest.fixture
def cascade() -> Model:
    card = ModelCard(
        model_id="second-1",
        weights_sha256="1" * 64,
        input_side=64,
        cutoff=80.0,
        paper_cutoff=80.0,
        review_band=(60.0, 85.0),
        chest_cutoff=50.0,
        precision="float64",
    )
    return replace(oracle_model(), second=Model(card=card, backend=Seventy()))


@pytest.fixture
def images() -> PartitionImages:
    prepared = [
        PreparedImage(
            file=f"{row}.png",
            patient=f"p{row}",
            view=view,
            study="",
            source="here",
            manufacturer="",
            row=row,
            file_sha256="",
            pixel_sha256="",
        )
        for row, view in enumerate(VIEWS)
    ]
    store = Prepared(
        images=tuple(prepared),
        pixels=np.stack([picture(pfi=pfi) for pfi in PFI]),
        failures=(),
        about={},
    )
    return PartitionImages(
        store=store, partition=Partition.TEST, images=prepared, drawn_from=len(prepared)
    )


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_pictures_of_the_second_model_are_counted_by_its_cutoff(cascade, images, tmp_path):
    counts = assess_store(images, cascade, None, tmp_path)

    # 70 % is below 80 %: the second picture is right, the third wrong.
    assert counts[0].table.right == 3
    rows = pq.read_table(tmp_path / "robustness.parquet").to_pylist()
    upright = [row for row in rows if row["variant"] == UPRIGHT.name]
    assert [row["model_id"] for row in upright] == ["oracle-1", "second-1", "second-1", "oracle-1"]
    table = rows_of(tmp_path / "robustness.csv")
    assert tuple(table[0]) == (*COUNT_COLUMNS, *POSE_COLUMNS, *SECOND_COLUMNS)
    assert {
        tuple(row[name] for name in ("classifier", "cutoff", *SECOND_COLUMNS)) for row in table
    } == {("oracle-1", "50.0", "second-1", "80.0")}
    (scores,) = read_scores(tmp_path / "robustness.parquet")
    cutoffs = cutoffs_of(scores, deciding_models(cascade))
    assert count_modified(scores, cutoff=cutoffs, modifications=MODIFICATIONS) == counts


def test_another_cutoff_counts_again_and_asks_no_model(cascade, images, tmp_path):
    assess_store(images, cascade, None, tmp_path)
    asked = len(cascade.second.backend.pictures)

    counts = assess_store(images, cascade, 60.0, tmp_path)

    assert counts[0].table.right == 3  # now the third picture instead of the second
    assert counts[0].table.lateral_called_frontal == 1
    assert len(cascade.second.backend.pictures) == asked
    assert {row["second_cutoff"] for row in rows_of(tmp_path / "robustness.csv")} == {"60.0"}


def test_a_model_alone_has_no_columns_of_a_second_one(images, tmp_path):
    model = oracle_model()

    assess_store(images, model, None, tmp_path)

    assert tuple(rows_of(tmp_path / "robustness.csv")[0]) == (*COUNT_COLUMNS, *POSE_COLUMNS)
    assert "model_id" not in pq.read_table(tmp_path / "robustness.parquet").column_names


def test_the_figure_names_the_view_by_the_cutoff_of_who_answered(cascade):
    models = deciding_models(cascade)

    sure, unsure = (
        score_modified_images(picture(pfi=pfi), cascade.answer)[0] for pfi in (98.0, 50.0)
    )

    assert (sure.is_of_second, view_of(sure, models)) == (False, View.FRONTAL)
    assert (unsure.pfi, unsure.is_of_second, view_of(unsure, models)) == (70.0, True, View.LATERAL)
    assert view_of(unsure, deciding_models(cascade, 60.0)) is View.FRONTAL
