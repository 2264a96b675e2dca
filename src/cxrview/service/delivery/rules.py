"""Which images go where, and in which form."""

from collections.abc import Iterable, Sequence

from cxrview.service.configuration import Configuration, Rule
from cxrview.service.records import Form, ImageState, PlannedDelivery, QueuedImage
from cxrview.terms import Agreement


def rules_of(configuration: Configuration) -> tuple[Rule, ...]:
    """The rules of a configuration; without any, all images go to all destinations, corrected."""
    if configuration.rules or not configuration.destinations:
        return configuration.rules
    return (Rule(name="all", destinations=tuple(configuration.destinations)),)


def rule_for(
    rules: Iterable[Rule],
    image: QueuedImage,
    state: ImageState,
    *,
    modality: str,
    agreement: Agreement | None,
) -> Rule | None:
    """The first rule that fits an image; None if none does.

    Args:
        rules: in their order.
        image: as it was received.
        state: what became of it.
        modality: from the result; from the header if the image has no result.
        agreement: whether the header names the view; None unless the image was classified.
    """
    for rule in rules:
        if (
            _fits(rule.decision, state)
            and _fits(rule.agreement, agreement)
            and _fits(rule.modality, modality)
            and _fits(rule.senders, image.sender)
            and _fits(rule.entrance, image.entrance)
        ):
            return rule
    return None


def planned_deliveries(rule: Rule | None, state: ImageState) -> tuple[PlannedDelivery, ...]:
    """What is sent by a rule. A report is made only of an image that was classified."""
    if rule is None:
        return ()
    return tuple(
        PlannedDelivery(destination=destination, form=form)
        for destination in dict.fromkeys(rule.destinations)
        for form in rule.send
        if form is not Form.SR or state is ImageState.CLASSIFIED
    )


def _fits(wanted: Sequence[str], value: str | None) -> bool:
    return not wanted or value in wanted
