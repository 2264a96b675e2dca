from pathlib import Path

import pytest

from cxrview.service.configuration import (
    Configuration,
    DestinationSettings,
    QueueSettings,
    Rule,
)
from cxrview.service.delivery.rules import planned_deliveries, rule_for, rules_of
from cxrview.service.records import Form, ImageState, PlannedDelivery, QueuedImage
from cxrview.terms import Agreement

IMAGE = QueuedImage(id=1, path=Path("x"), entrance="dicom", sender="CR1", modality="CR")
PACS = DestinationSettings(host="127.0.0.1", port=104, ae_title="PACS")


def found(*rules: Rule, state=ImageState.CLASSIFIED, agreement=Agreement.AGREES):
    rule = rule_for(rules, IMAGE, state, modality="CR", agreement=agreement)
    return rule.name if rule else None


@pytest.mark.parametrize(
    ("conditions", "fits"),
    [
        ({}, True),
        ({"modality": ("DX", "CR")}, True),
        ({"modality": ("DX",)}, False),
        ({"senders": ("CR1",)}, True),
        ({"senders": ("CR2",)}, False),
        ({"entrance": ("stow",)}, False),
        ({"decision": (ImageState.CLASSIFIED,)}, True),
        ({"decision": (ImageState.REVIEW,)}, False),
        ({"agreement": (Agreement.DISAGREES,)}, False),
        ({"modality": ("CR",), "senders": ("CR2",)}, False),
    ],
)
def test_rule_for_needs_all_conditions(conditions, fits):
    assert found(Rule(name="a", destinations=("pacs",), **conditions)) == ("a" if fits else None)


def test_rule_for_takes_the_first_that_fits():
    doubtful = Rule(name="doubtful", destinations=(), decision=(ImageState.REVIEW,))
    rest = Rule(name="rest", destinations=("pacs",))

    assert found(doubtful, rest) == "rest"
    assert found(rest, doubtful, state=ImageState.REVIEW, agreement=None) == "rest"


def test_planned_deliveries_makes_a_report_only_of_what_was_classified():
    rule = Rule(name="a", destinations=("x", "y"), send=(Form.ORIGINAL, Form.SR))

    planned = planned_deliveries(rule, ImageState.CLASSIFIED)

    assert [(one.destination, one.form) for one in planned] == [
        ("x", Form.ORIGINAL),
        ("x", Form.SR),
        ("y", Form.ORIGINAL),
        ("y", Form.SR),
    ]
    assert planned_deliveries(rule, ImageState.FAILED) == (
        PlannedDelivery(destination="x", form=Form.ORIGINAL),
        PlannedDelivery(destination="y", form=Form.ORIGINAL),
    )
    assert planned_deliveries(None, ImageState.CLASSIFIED) == ()


def test_rules_of_sends_everything_everywhere_without_rules():
    queue = QueueSettings(folder=Path("queue"))
    (rule,) = rules_of(Configuration(queue=queue, destinations={"a": PACS, "b": PACS}))

    assert (rule.destinations, rule.send, rule.decision) == (("a", "b"), (Form.CORRECTED,), ())
    assert rules_of(Configuration(queue=queue)) == ()
