"""A study that was never carried out: its scores are drawn from a seed, its names easy to find."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch: pip install '.[train]'")

from cxrview.assess.classifiers import EXTERNAL, INSIDE, SET, VALIDATION, assess_scores
from cxrview.assess.robustness import count_modified
from cxrview.paper.candidates import CANDIDATES
from cxrview.paper.compare import choose_candidate, compare_candidates
from cxrview.paper.figures.flow import AugmentedCounts, ExternalSet, Flow, ImageCounts
from cxrview.paper.results import PreTrainedTop1, Reproduction
from cxrview.paper.scale import SCALES
from cxrview.paper.top_1 import Top1
from cxrview.records.scores import PROGENITOR_NAME, Scores
from cxrview.terms import Partition

SEED = 7
VARIANTS = (PROGENITOR_NAME, "flip-horizontal/spread", "rotate-90-clockwise/impulse-noise")
WITH_RADIOGRAPHS = ("fig-4", "fig-6", "failures")
WRONG = {"fc-original": 0.06, "fc-augmented": 0.04, "all-augmented": 0.01}
"""Share of images that a candidate of each fine-tuning gets wrong."""


def draw_scores(
    rng: np.random.Generator,
    classifier: str,
    *,
    images: int,
    wrong: float,
    variants: tuple[str, ...] = (PROGENITOR_NAME,),
    facts: dict[str, np.ndarray] | None = None,
) -> Scores:
    """PFI near 0 and 100, on the wrong side for some; every third image is lateral."""
    count = images * len(variants)
    progenitor = np.repeat(np.arange(images), len(variants))
    is_frontal = progenitor % 3 > 0
    side = is_frontal ^ (rng.random(count) < wrong)
    return Scores(
        classifier=classifier,
        files=np.array([f"SENTINEL-FILE-{k}.png" for k in progenitor]),
        patients=np.array([f"SENTINEL-PATIENT-{k // 2}" for k in progenitor]),
        variants=np.tile(variants, images),
        is_frontal=is_frontal,
        pfi=np.clip(np.where(side, 97, 3) + rng.normal(0, 2, count), 0, 100),
        facts=facts or {},
    )


@pytest.fixture(scope="session")
def reproduction() -> Reproduction:
    rng = np.random.default_rng(SEED)
    validated = {
        candidate: draw_scores(
            rng,
            candidate.name,
            images=120,
            wrong=WRONG[candidate.fine_tuning],
            variants=VARIANTS if candidate.fine_tuning != "fc-original" else VARIANTS[:1],
        )
        for candidate in CANDIDATES
    }
    chosen = choose_candidate(validated)
    sets = np.array([VALIDATION] * 120 + [INSIDE] * 90 + [EXTERNAL] * 60)
    facts = {
        SET: sets,
        "source": np.where(sets == EXTERNAL, "covid", "open-i"),
        "manufacturer": np.where(sets == INSIDE, "Maker & Sons", ""),
    }
    tested = [
        draw_scores(rng, name, images=len(sets), wrong=wrong, facts=facts)
        for name, wrong in ((chosen.name, 0.01), ("lehmann", 0.03), ("boone", 0.08))
    ]
    modified = draw_scores(
        rng,
        chosen.name,
        images=150,
        wrong=0.1,
        variants=(PROGENITOR_NAME, "rotation/10", "obscured/left"),
    )
    return Reproduction(
        version="0.1.0",
        date=datetime.date(2031, 5, 17),
        seed=SEED,
        scale=SCALES["laptop"],
        is_drawn=False,
        split_by="patient",
        sources=("open-i",),
        flow=a_flow(validated, chosen),
        validated=validated,
        compared=compare_candidates(validated, seed=SEED, rounds=200),
        assessed=assess_scores(tested),
        pre_trained={
            name: PreTrainedTop1(
                before=Top1(right=100, pictures=400), after=Top1(right=right, pictures=400)
            )
            for name, right in (("grey", 150), ("grey-subset", 80))
        },
        modified=count_modified(modified, cutoff=50.0, drawn_from=200),
        differs=("Grey pre-training: 1 epoch instead of 30, for want of a GPU.",),
        seconds={"prepare": 61.0, "all-augmented": 4000.0},
        images_per_second=41.5,
        machine="2 CPU cores",
        software={"torch": "2.6.0"},
    )


def a_flow(validated, chosen) -> Flow:
    counted = {
        part: ImageCounts(images=n, patients=n // 2, frontal=n - n // 3, lateral=n // 3)
        for part, n in zip(Partition, (360, 120, 90), strict=True)
    }
    external = ImageCounts(images=60, patients=30, frontal=40, lateral=20)
    return Flow(
        labelled=ImageCounts(images=575, patients=290, frontal=385, lateral=190),
        unreadable=2,
        left_out=3,
        partitions=counted,
        made={
            Partition.TRAINING: AugmentedCounts(progenitors=360, images=360 * 106),
            Partition.VALIDATION: AugmentedCounts(progenitors=120, images=120 * 8),
        },
        accuracies={candidate: scores.accuracy for candidate, scores in validated.items()},
        chosen=chosen,
        externals=(ExternalSet(name="covid", labelled=external, drawn=external),),
    )


@pytest.fixture
def changed(reproduction: Reproduction) -> Callable[..., Reproduction]:
    """The same study with something else in it."""

    def change(**fields: Any) -> Reproduction:
        return replace(reproduction, **fields)

    return change


@pytest.fixture
def figures(tmp_path: Path) -> dict[str, Path]:
    """Every figure as an SVG that any program could have drawn, with parts of the same name."""
    names = [f"fig-{k}" for k in range(1, 7)] + ["fig-3-external", "calibration", "failures"]
    paths = {name: tmp_path / f"{name}.svg" for name in names}
    for name, path in paths.items():
        path.write_text(
            '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="240">'
            '<clipPath id="same"><rect width="640" height="240"/></clipPath>'
            + ('<image width="9" height="9"/>' if name in WITH_RADIOGRAPHS else "")
            + f'<text x="20" y="60" clip-path="url(#same)">{name}</text></svg>'
        )
    return paths
