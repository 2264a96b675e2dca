"""Prints the counts of a validation as aligned text."""

from collections.abc import Iterator

from cxrview.train.fast.validate import MOST_WRONG, SUREST, Validation, ViewCounts


def validation_lines(counts: Validation) -> Iterator[str]:
    """The counts as lines: views, poses, chest, projection; each table with a head."""
    yield from _view_table("view, upright", counts.views)
    yield ""
    yield from _view_table("view, by pose", counts.poses)
    yield ""
    strict = f"below {counts.chest_cutoff_strict:.2f} %"
    yield f"{'no chest':34}{'pictures':>9}{'below 50 %':>14}{strict:>16}"
    for chest in counts.chest:
        yield (
            f"{chest.group:34}{chest.pictures:9}{chest.refused_at_50:14}"
            f"{chest.refused_at_strict:16}"
        )
    yield ""
    surest, aim = f"wrong in surest {100 * SUREST:.0f} %", f"decided at {100 * MOST_WRONG:.0f} %"
    yield f"{'projection':34}{'AP wrong':>12}{'PA wrong':>12}{surest:>22}{aim:>15}"
    for one in counts.projections:
        group = f"{one.source}, {'other patients' if one.is_trained else 'never trained on'}"
        ap, pa = f"{one.ap_errors} of {one.ap}", f"{one.pa_errors} of {one.pa}"
        sure = f"{one.surest_errors} of {one.surest}"
        decided = f"{one.decided_at_aim} of {one.ap + one.pa}"
        yield f"{group:34}{ap:>12}{pa:>12}{sure:>22}{decided:>15}"


def _view_table(title: str, rows: tuple[ViewCounts, ...]) -> Iterator[str]:
    yield (
        f"{title:34}{'pictures':>9}{'wrong':>7}{'decided 10-90, wrong':>22}"
        f"{'decided 5-95, wrong':>22}{'turn wrong':>12}{'mirrored wrong':>18}{'inverted wrong':>16}"
    )
    for row in (*rows, _total(rows)):
        narrow, wide = (
            f"{decided} ({100 * decided / row.pictures:.1f} %), {errors}"
            for decided, errors in (
                (row.decided_10_90, row.errors_10_90),
                (row.decided_5_95, row.errors_5_95),
            )
        )
        yield (
            f"{row.group:34}{row.pictures:9}{row.errors:7}{narrow:>22}{wide:>22}"
            f"{row.turn_errors:12}{f'{row.mirrored_errors} of {row.frontals}':>18}"
            f"{row.inverted_errors:16}"
        )


def _total(rows: tuple[ViewCounts, ...]) -> ViewCounts:
    return ViewCounts(
        group="all",
        pictures=sum(row.pictures for row in rows),
        errors=sum(row.errors for row in rows),
        decided_10_90=sum(row.decided_10_90 for row in rows),
        errors_10_90=sum(row.errors_10_90 for row in rows),
        decided_5_95=sum(row.decided_5_95 for row in rows),
        errors_5_95=sum(row.errors_5_95 for row in rows),
        turn_errors=sum(row.turn_errors for row in rows),
        mirrored_errors=sum(row.mirrored_errors for row in rows),
        frontals=sum(row.frontals for row in rows),
        inverted_errors=sum(row.inverted_errors for row in rows),
    )
