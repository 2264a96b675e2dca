"""Create the plan of the paper's study from the command line of `cxrview reproduce`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cxrview.errors import UsageError

if TYPE_CHECKING:
    from cxrview.paper.plan import StudyPlan

DRAWN = "drawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class StudySettings:
    """Settings of both kinds of study, of files and of drawn radiographs; fields as `StudyPlan`."""

    seed: int
    by: str
    counts: tuple[int, int, int] | None
    as_published: bool
    sample: int | None
    workers: int
    device: str


def plan_of_files(
    scale: str,
    settings: StudySettings,
    *,
    labels: Path | None,
    published: Path | None,
    pictures: Path | None,
    classes: Path | None,
    sources: tuple[str, ...] = (),
    external: Path | None = None,
    external_sources: tuple[str, ...] = (),
    headers: Path | None = None,
) -> "StudyPlan":
    """Return the plan of a study of real images; paths as `StudyPlan`.

    Raises:
        UsageError: something is missing or unknown.
    """
    from cxrview.paper.plan import StudyPlan
    from cxrview.paper.pretrain_run import PictureSource
    from cxrview.paper.scale import scale_named

    if labels is None or published is None or pictures is None or classes is None:
        given = {
            "LABELS": labels,
            "--published": published,
            "--pictures": pictures,
            "--classes": classes,
        }
        missing = [name for name, path in given.items() if path is None]
        raise UsageError(
            f"a study needs {', '.join(missing)}",
            "Only --scale smoke draws everything it needs, if none of these is given",
        )
    return StudyPlan(
        labels=labels,
        published=published,
        pictures=PictureSource(pictures=pictures, classes=classes, workers=settings.workers),
        scale=scale_named(scale),
        sources=sources,
        external=external,
        external_sources=external_sources,
        headers=headers,
        seed=settings.seed,
        by=settings.by,
        counts=settings.counts,
        as_published=settings.as_published,
        sample=settings.sample,
        workers=settings.workers,
        device=settings.device,
    )


def drawn_plan(out: Path, scale: str, settings: StudySettings) -> "StudyPlan":
    """Return the plan of a study of drawn radiographs and pictures, which are written to `out`.

    Raises:
        UsageError: the scale is not smoke, or a setting is unknown.
    """
    from cxrview.atomic_files import writing
    from cxrview.dataset.split import check_split_by
    from cxrview.paper.drawn_inputs import EXTERNAL, INSIDE, draw_study
    from cxrview.paper.plan import StudyPlan
    from cxrview.paper.pretrain_run import PictureSource
    from cxrview.paper.scale import scale_named

    if scale_named(scale).name != "smoke":
        raise UsageError(
            f"a study at {scale} scale needs LABELS, --published, --pictures and --classes",
            "Only --scale smoke draws everything it needs, if none of these is given",
        )
    check_split_by(settings.by)
    with writing(out):
        drawn = draw_study(out / DRAWN, seed=settings.seed)
    return StudyPlan(
        labels=drawn.labels,
        published=drawn.published,
        pictures=PictureSource(
            pictures=drawn.pictures, classes=drawn.classes, workers=settings.workers
        ),
        scale=scale_named(scale),
        is_drawn=True,
        sources=(INSIDE,),
        external_sources=(EXTERNAL,),
        seed=settings.seed,
        by=settings.by,
        counts=settings.counts,
        as_published=settings.as_published,
        sample=settings.sample,
        workers=settings.workers,
        device=settings.device,
    )


def parse_counts(text: str | None) -> tuple[int, int, int] | None:
    """Parse three integers such as `1129,376,377`; None for None.

    Raises:
        UsageError: the text is not valid.
    """
    if text is None:
        return None
    try:
        training, validation, test = (int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"--counts takes three whole numbers such as 1129,376,377; got {text}"
        ) from None
    return training, validation, test
