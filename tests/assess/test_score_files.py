"""Scores on disk: what was written is read, and anybody can read it."""

import dataclasses

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.assess.score_files import read_scores, write_scores
from cxrview.errors import UsageError
from cxrview.records.scores import Scores

names = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
rows = st.lists(st.tuples(names, names, st.booleans(), st.floats(0, 100), names), max_size=6)


def scores(classifier: str, drawn: list[tuple[str, str, bool, float, str]]) -> Scores:
    files, patients, is_frontal, pfi, sources = zip(*drawn, strict=True) if drawn else [()] * 5
    return Scores(
        classifier=classifier,
        files=np.array(files, str),
        patients=np.array(patients, str),
        variants=np.array(["progenitor"] * len(drawn), str),
        is_frontal=np.array(is_frontal, bool),
        pfi=np.array(pfi, np.float64),
        facts={"source": np.array(sources, str)},
    )


@given(first=rows, second=rows)
def test_what_was_written_is_read(first, second, tmp_path_factory):
    path = tmp_path_factory.mktemp("scores") / "scores.parquet"
    written = [scores("grey/all-augmented", first), scores("lehmann", second)]

    write_scores(path, written)
    read = read_scores(path)

    assert [one.classifier for one in read] == ["grey/all-augmented", "lehmann"]
    for one, other in zip(written, read, strict=True):
        for name in ("files", "patients", "variants", "is_frontal", "pfi"):
            assert np.array_equal(getattr(one, name), getattr(other, name))
        assert np.array_equal(one.facts["source"], other.facts["source"])


def test_the_columns_say_what_they_hold(tmp_path):
    write_scores(tmp_path / "s.parquet", [scores("lehmann", [("a.png", "p", True, 80.0, "here")])])

    assert pq.read_table(tmp_path / "s.parquet").to_pylist() == [
        {
            "classifier": "lehmann",
            "file": "a.png",
            "patient": "p",
            "variant": "progenitor",
            "view": "frontal",
            "pfi": 80.0,
            "source": "here",
        }
    ]


def test_two_classifiers_of_one_name_are_refused(tmp_path):
    with pytest.raises(ValueError, match="told apart"):
        write_scores(tmp_path / "s.parquet", [scores("boone", []), scores("boone", [])])


def test_another_table_is_refused_by_its_name(tmp_path):
    (tmp_path / "s.parquet").write_text("no Parquet")

    with pytest.raises(UsageError, match=r"s\.parquet holds no scores"):
        read_scores(tmp_path / "s.parquet")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"none\.parquet cannot be read"):
        read_scores(tmp_path / "none.parquet")


@given(drawn=rows, data=st.data())
def test_chest_is_kept_where_a_network_tells_it_and_none_where_not(drawn, data, tmp_path_factory):
    path = tmp_path_factory.mktemp("scores") / "scores.parquet"
    size = len(drawn)
    chest = np.array(data.draw(st.lists(st.floats(0, 100), min_size=size, max_size=size)))
    telling = dataclasses.replace(scores("world", drawn), chest=chest)

    write_scores(path, [telling, scores("lehmann", drawn)])
    first, second = read_scores(path)

    assert np.array_equal(first.chest if drawn else np.empty(0), chest)
    assert second.chest is None or not drawn
