from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from cxrview.records.json_object import FLAT, from_json, keys_of, to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    images: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    source: str
    counts: Counts = field(metadata=FLAT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    name: str
    is_done: bool
    cutoff: float | None
    band: tuple[float, float] | None = None
    rows: tuple[Row, ...] = ()
    by_set: Mapping[str, tuple[int, ...]] | None = None
    other: Mapping[str, Any] = field(default_factory=dict)


OBJECT = {
    "name": "a",
    "is_done": True,
    "cutoff": None,
    "band": [1, 2.5],
    "rows": [{"source": "here", "images": 3, "share": 1}],
    "by_set": {"test": [1, 2]},
    "more": {"kept": [None]},
}


def test_from_json_is_undone_by_to_json():
    facts = from_json(Facts, OBJECT)

    assert facts.rows == (Row(source="here", counts=Counts(images=3, share=1)),)
    assert facts.by_set == {"test": (1, 2)}
    assert facts.other == {"more": {"kept": [None]}}
    assert to_json(facts) == OBJECT
    assert list(to_json(facts)) == list(OBJECT)


def test_to_json_leaves_out_none_only_where_it_is_the_default():
    facts = Facts(name="a", is_done=False, cutoff=None)

    assert to_json(facts) == {"name": "a", "is_done": False, "cutoff": None, "rows": []}


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"name": 3}, "name"),
        ({"is_done": 1}, "is_done"),
        ({"cutoff": True}, "cutoff"),
        ({"band": [1]}, "band"),
        ({"band": ["1", "2"]}, "band"),
        ({"rows": [{"source": "here", "images": 3}]}, "share"),
        ({"rows": [{"source": "here", "images": 3, "share": 1, "new": 0}]}, "new"),
        ({"rows": "many"}, "rows"),
        ({"by_set": {"test": [0.5]}}, "by_set.test"),
        ({"by_set": []}, "by_set"),
    ],
)
def test_from_json_names_key_at_fault(change, key):
    with pytest.raises(ValueError, match=key):
        from_json(Facts, OBJECT | change)


@pytest.mark.parametrize("value", [None, [], "text", 3])
def test_from_json_refuses_what_is_not_an_object(value):
    with pytest.raises(ValueError, match="object is expected"):
        from_json(Facts, value)


def test_from_json_names_missing_key():
    with pytest.raises(ValueError, match="is_done"):
        from_json(Facts, {"name": "a", "cutoff": 1.0})


def test_keys_of_looks_into_flat_fields():
    assert keys_of(Row) == {"source", "images", "share"}
    assert keys_of(Facts) == {"name", "is_done", "cutoff", "band", "rows", "by_set"}
