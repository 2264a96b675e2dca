"""Makes the plan of a study from what the command line says."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxrview.errors import UsageError

if TYPE_CHECKING:
    from cxrview.paper.plan import StudyPlan

DRAWN = "drawn"


def plan_of_files(
    labels: Path | None,
    published: Path | None,
    pictures: Path | None,
    classes: Path | None,
    scale: str,
    **rest: Any,
) -> "StudyPlan":
    """The plan of a study of real images.

    Raises:
        UsageError: something is missing or unknown.
    """
    from cxrview.paper.plan import StudyPlan
    from cxrview.paper.pretrain_run import PictureSource
    from cxrview.paper.scale import scale_named

    given = {
        "LABELS": labels,
        "--published": published,
        "--pictures": pictures,
        "--classes": classes,
    }
    missing = [name for name, value in given.items() if value is None]
    if missing or labels is None or published is None or pictures is None or classes is None:
        raise UsageError(
            f"a study needs {', '.join(missing)}",
            "Only --scale smoke draws all that it needs, where nothing is given",
        )
    given |= {"--external": rest["external"], "--headers": rest["headers"]}
    for name, path in given.items():
        if path is not None and not (path.is_file() or (name == "--pictures" and path.is_dir())):
            raise UsageError(f"{name}: there is no file {path}")
    return StudyPlan(
        labels=labels,
        published=published,
        pictures=PictureSource(pictures=pictures, classes=classes, workers=rest["workers"]),
        scale=scale_named(scale),
        **_common(rest),
    )


def drawn_plan(out: Path, scale: str, **rest: Any) -> "StudyPlan":
    """The plan of a study in which all is drawn, into the run's own folder.

    Raises:
        UsageError: the scale is another than smoke.
    """
    from cxrview.atomic_files import writing
    from cxrview.paper.drawn_inputs import EXTERNAL, INSIDE, draw_study
    from cxrview.paper.plan import StudyPlan
    from cxrview.paper.pretrain_run import PictureSource
    from cxrview.paper.scale import scale_named

    if scale_named(scale).name != "smoke":
        raise UsageError(
            f"a study at {scale} scale needs LABELS, --published, --pictures and --classes",
            "Only --scale smoke draws all that it needs, where nothing is given",
        )
    with writing(out):
        drawn = draw_study(out / DRAWN, seed=rest["seed"])
    return StudyPlan(
        labels=drawn.labels,
        published=drawn.published,
        pictures=PictureSource(
            pictures=drawn.pictures, classes=drawn.classes, workers=rest["workers"]
        ),
        scale=scale_named(scale),
        is_drawn=True,
        sources=(INSIDE,),
        external_sources=(EXTERNAL,),
        **_common(rest),
    )


def _common(rest: dict[str, Any]) -> dict[str, Any]:
    from cxrview.train.hardware import find_device

    return {**rest, "device": find_device(rest["device"]), "counts": _counts(rest["counts"])}


def _counts(text: str | None) -> tuple[int, int, int] | None:
    if text is None:
        return None
    try:
        training, validation, test = (int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"--counts takes three whole numbers such as 1129,376,377; got {text}"
        ) from None
    return training, validation, test
