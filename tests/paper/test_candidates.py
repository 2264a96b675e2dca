"""The paper's candidates and their schedules as rows of data."""

from dataclasses import asdict

import pytest

from cxrview.errors import UsageError
from cxrview.paper.candidates import FINE_TUNINGS, Schedule, fine_tuning_named

OWN = Schedule(rate=0.005, is_nesterov=True)


def test_schedule_with_changes_changes_only_what_is_given():
    changed = OWN.with_changes(rate=0.1, is_nesterov=False, weight_decay=0.0)

    expected = asdict(OWN) | {"rate": 0.1, "is_nesterov": False, "weight_decay": 0.0}
    assert asdict(changed) == expected
    assert OWN.with_changes() == OWN


def test_schedule_with_changes_refuses_what_cannot_be_trained():
    with pytest.raises(UsageError, match="--rate-divisor"):
        OWN.with_changes(rate_divisor=0.0)
    with pytest.raises(UsageError, match="--no-nesterov"):
        OWN.with_changes(momentum=0.0)
    assert OWN.with_changes(momentum=0.0, is_nesterov=False).momentum == 0


def test_schedule_with_changes_takes_every_field():
    fields = asdict(OWN)

    assert OWN.with_changes(**fields) == OWN
    for name, value in fields.items():
        other = not value if isinstance(value, bool) else value * 2
        assert asdict(OWN.with_changes(**{name: other})) == fields | {name: other}


def test_fine_tuning_named_lists_the_methods_where_the_name_is_unknown():
    assert fine_tuning_named("fc-original") is FINE_TUNINGS["fc-original"]
    with pytest.raises(UsageError, match="fc-original, fc-augmented, all-augmented"):
        fine_tuning_named("best")
