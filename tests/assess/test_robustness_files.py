"""Tables of modifications as CSV, read back by Python's own reader."""

import csv
from pathlib import Path

import numpy as np
import pytest

from cxrview.assess.cascade import DecidingModel
from cxrview.assess.robustness_files import write_modified_counts, write_modified_images
from cxrview.errors import CannotWrite
from cxrview.records.evaluation import Interval, ModifiedCount, ModifiedImage, TwoByTwo

COUNT = ModifiedCount(
    modification="rotation",
    severity="10",
    table=TwoByTwo(
        frontal_called_frontal=3,
        frontal_called_lateral=5,
        lateral_called_frontal=0,
        lateral_called_lateral=0,
    ),
    interval=Interval(low=0.085, high=0.755),
    frontal_interval=Interval(low=0.085, high=0.755),
    lateral_interval=None,
    lost=2,
    gained=1,
    drawn_from=20,
)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_shares_are_in_percent_and_a_view_without_images_has_none(tmp_path):
    write_modified_counts(
        tmp_path / "c.csv",
        [COUNT],
        [DecidingModel(model_id="one", cutoff=61.25)],
        scale="8 of 106",
    )

    assert rows_of(tmp_path / "c.csv") == [
        {
            "modification": "rotation",
            "severity": "10",
            "images": "8",
            "drawn_from": "20",
            "right": "3",
            "accuracy_percent": "37.5",
            "low_percent": "8.5",
            "high_percent": "75.5",
            "frontal": "8",
            "frontal_right": "3",
            "frontal_low_percent": "8.5",
            "frontal_high_percent": "75.5",
            "lateral": "0",
            "lateral_right": "0",
            "lateral_low_percent": "",
            "lateral_high_percent": "",
            "lost": "2",
            "gained": "1",
            "difference_points": "-12.5",
            "classifier": "one",
            "cutoff": "61.25",
            "scale": "8 of 106",
        }
    ]


def test_pictures_are_numbered_by_image_and_called_by_the_cutoff(tmp_path):
    def image(pfi: float, *, is_of_second: bool = False) -> ModifiedImage:
        return ModifiedImage(
            modification="unmodified",
            severity="",
            title="unmodified",
            pixels=np.zeros((8, 8), np.uint8),
            pfi=pfi,
            is_of_second=is_of_second,
        )

    models = [DecidingModel(model_id="a", cutoff=50.0), DecidingModel(model_id="b", cutoff=60.0)]

    write_modified_images(
        tmp_path / "i.csv",
        [[image(50.0), image(49.9)], [image(59.9, is_of_second=True)]],
        models,
    )

    names = ("image", "pfi", "view", "classifier", "cutoff")
    assert [tuple(row[n] for n in names) for row in rows_of(tmp_path / "i.csv")] == [
        ("1", "50.0", "frontal", "a", "50.0"),
        ("1", "49.9", "lateral", "a", "50.0"),
        ("2", "59.9", "lateral", "b", "60.0"),
    ]


def test_a_table_that_cannot_be_written_is_named_and_leaves_no_part(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(CannotWrite, match=r"c\.csv cannot be written"):
        write_modified_counts(
            tmp_path / "file" / "c.csv", [COUNT], [DecidingModel(model_id="one", cutoff=50)]
        )
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
