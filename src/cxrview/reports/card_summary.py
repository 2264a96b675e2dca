"""What a command prints of a model's card: cutoffs and counts, a line each."""

from cxrview.records import ModelCard
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
    """
    lines = [cutoffs_line(card)]
    for part in ("validation", "test"):
        lines += [
            f"{part:10} {c['source']:9} {c['view']:8} {c['errors']} errors of {c['images']}, "
            f"band on {c['errors_decided']} of {c['decided']}, {c['refused']} refused"
            for c in card.about[part]
        ]
        turned = card.about["orientations"][part]
        images, errors, decided, wrong = (
            sum(row[name] for row in turned)
            for name in ("images", "errors", "decided", "errors_decided")
        )
        lines.append(
            f"{part:10} in sixteen orientations: {errors} errors of {images}, "
            f"band on {wrong} of {decided}"
        )
    lines += [
        f"{c['partition']:10} {c['source']:9} no chest: {c['called_a_view']} of {c['images']} "
        "called a view"
        for c in card.about.get("not_chest", ())
    ]
    for seed in card.about["seeds"]["each"]:
        chosen = ", chosen" if seed["seed"] == card.about["seeds"]["chosen"] else ""
        upright, turned = seed["upright"], seed["sixteen_orientations"]
        lines.append(
            f"seed {seed['seed']}: validation log loss {seed['log_loss']}, {upright['errors']} "
            f"errors of {upright['images']}, turned "
            f"{turned['errors']} of {turned['images']}{chosen}"
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
    for part, kinds in card.int8.about["against_fp32"].items():
        for kind, row in kinds.items():
            apart = row["pfi_apart_points"]
            line = (
                f"{part:10} {kind.replace('_', ' '):20} "
                f"{plural(row['pictures'], 'picture')}: PFI apart "
                f"{apart['percentile_99']:.3f} points (99 %), {apart['largest']:.3f} (largest); "
                f"{plural(row['other_view'], 'other view')}, "
                f"{plural(row['changed_decisions'], 'other decision')}"
            )
            if "log_loss" in row:
                line += "; log loss {} to {}, errors {} to {}".format(
                    *row["log_loss"], *row["errors"]
                )
            lines.append(line)
    return lines
