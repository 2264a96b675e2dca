"""What a command prints of a model's card: cutoffs and counts, a line each."""

from cxrview.errors import InvalidModel
from cxrview.records.model_card import ModelCard
from cxrview.wording import plural


def cutoffs_line(card: ModelCard) -> str:
    """The cutoffs and the review band of one precision."""
    low, high = card.review_band
    least = "" if card.chest_cutoff is None else f", no chest below {card.chest_cutoff}"
    return f"{card.model_id}: cutoff {card.cutoff}, review band {low} to {high}{least}"


def card_lines(card: ModelCard) -> list[str]:
    """Cutoffs, review band and the counts of validation and test images, a line each.

    Args:
        card: of a model that `cxrview train` made.

    Raises:
        InvalidModel: the card has no counts.
    """
    lines = [cutoffs_line(card)]
    about = card.about
    if about.orientations is None or about.seeds is None:
        raise InvalidModel(f"the card of {card.model_id} has no counts")
    for part, rows in (("validation", about.validation), ("test", about.test)):
        lines += [
            f"{part:10} {row.source:9} {row.view:8} {row.counts.errors} errors of "
            f"{row.counts.images}, band on {row.counts.errors_decided} of {row.counts.decided}, "
            f"{row.counts.refused} refused"
            for row in rows or ()
        ]
        turned = [row.counts for row in about.orientations[part]]
        lines.append(
            f"{part:10} in sixteen orientations: {sum(c.errors for c in turned)} errors of "
            f"{sum(c.images for c in turned)}, band on {sum(c.errors_decided for c in turned)} of "
            f"{sum(c.decided for c in turned)}"
        )
    lines += [
        f"{row.partition:10} {row.source:9} no chest: {row.called_a_view} of {row.images} "
        "called a view"
        for row in about.not_chest or ()
    ]
    for seed in about.seeds.each:
        chosen = ", chosen" if seed.seed == about.seeds.chosen else ""
        lines.append(
            f"seed {seed.seed}: validation log loss {seed.log_loss}, {seed.upright.errors} "
            f"errors of {seed.upright.images}, turned {seed.sixteen_orientations.errors} of "
            f"{seed.sixteen_orientations.images}{chosen}"
        )
    return lines


def int8_lines(card: ModelCard) -> list[str]:
    """Cutoffs of both precisions, then how far int8 is from float32, a line each.

    Args:
        card: of a model that `cxrview quantise` has added weights of int8 to.

    Raises:
        ValueError: the model has no weights of int8.
    """
    if card.int8 is None:
        raise ValueError(f"{card.model_id} has no weights of int8")
    lines = [cutoffs_line(card), cutoffs_line(card.int8)]
    for part, kinds in (card.int8.about.against_fp32 or {}).items():
        for kind, row in kinds.items():
            apart = row.pfi_apart_points
            line = (
                f"{part:10} {kind.replace('_', ' '):20} "
                f"{plural(row.pictures, 'picture')}: PFI apart "
                f"{apart.percentile_99:.3f} points (99 %), {apart.largest:.3f} (largest); "
                f"{plural(row.other_view, 'other view')}, "
                f"{plural(row.changed_decisions, 'other decision')}"
            )
            if row.log_loss and row.errors:
                line += "; log loss {} to {}, errors {} to {}".format(*row.log_loss, *row.errors)
            lines.append(line)
    return lines
