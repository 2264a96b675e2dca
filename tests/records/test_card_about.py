import pytest

from cxrview.records.card_about import (
    COMPUTED,
    CardAbout,
    CardStatements,
    DecisionCounts,
    SourceCounts,
)

COUNTS = {
    "images": 2,
    "errors": 0,
    "accuracy_percent": 100.0,
    "interval_95_percent": [15.811, 100.0],
    "decided": 2,
    "errors_decided": 0,
    "refused": 0,
}


def test_from_json_makes_records_of_rows():
    about = CardAbout.from_json({"test": [{"source": "here", "view": "frontal", **COUNTS}]})

    assert about.test == (
        SourceCounts(
            source="here",
            view="frontal",
            counts=DecisionCounts(**COUNTS | {"interval_95_percent": (15.811, 100.0)}),
        ),
    )


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"seed": 0, "cutoff_range": [39.2, 82.5], "limits": ["One."], "contact": "somewhere"},
        {"test": "98 percent", "seed": "none", "readers": ["ours"]},
        {"not_chest": []},
    ],
)
def test_as_json_gives_back_what_from_json_read(value):
    assert CardAbout.from_json(value).as_json() == value


@pytest.mark.parametrize("value", [None, [], "text"])
def test_from_json_refuses_what_is_not_an_object(value):
    with pytest.raises(ValueError):
        CardAbout.from_json(value)


def test_computed_keys_are_not_stated():
    assert {"seeds", "test", "labels_sha256", "scale"} <= COMPUTED
    assert not COMPUTED & {"limits", "data", "readers"}
    assert CardAbout().statements == CardStatements()
