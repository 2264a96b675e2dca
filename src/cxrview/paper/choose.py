"""Chooses one of the nine candidates, and exports it as a model."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cxrview.assess.cutoffs import widest_review_band
from cxrview.assess.score_files import read_scores
from cxrview.atomic_files import writing
from cxrview.classify.model_files import WEIGHTS_NAME, write_model
from cxrview.errors import UsageError
from cxrview.image import SIDE
from cxrview.json_file import read_json, write_json
from cxrview.paper.candidates import CANDIDATES, Candidate
from cxrview.paper.compare import (
    ComparisonResult,
    choose_candidate,
    choose_cutoff,
    compare_candidates,
)
from cxrview.paper.train_candidate import VALIDATION
from cxrview.paper.trained_model import ABOUT, load_trained
from cxrview.records.card_about import CardAbout
from cxrview.records.evaluation import Interval
from cxrview.records.model_card import Cutoff, ModelCard
from cxrview.records.scores import Scores
from cxrview.results.tables import write_rows
from cxrview.stats import exact_interval, patient_bootstrap
from cxrview.train.export import PRECISION, to_onnx

CANDIDATE_TABLE, COMPARISON_TABLE, CHOICE = "candidates.csv", "comparisons.csv", "choice.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The comparison of the nine candidates, and the chosen one."""

    validated: Mapping[Candidate, Scores]
    compared: tuple[ComparisonResult, ...]
    chosen: Candidate
    cutoff: Cutoff
    """Range of the best cutoffs on its validation progenitors; the paper's cutoff is `high`."""
    scale_words: str
    """How the trainings were scaled; shown in every table."""
    seed: int
    """Of the bootstrap intervals."""


def choose_candidate_of(folder: Path, *, seed: int) -> Choice:
    """Compare nine finished candidates and choose one by the paper's rule.

    Args:
        folder: contains PRE-TRAINING/METHOD folders, as `cxrview reproduce` keeps them and
            `cxrview finetune` makes each.
        seed: of the bootstrap.

    Raises:
        UsageError: a candidate is missing, not finished, or was not trained and validated like
            the others; or its scores cannot be read.

    Source:
        Paper, section 5.
    """
    abouts = {c: _about(folder / c.pre_training / c.fine_tuning) for c in CANDIDATES}
    _check_same_study(folder, abouts)
    validated = {
        c: read_scores(folder / c.pre_training / c.fine_tuning / VALIDATION)[0] for c in CANDIDATES
    }
    try:
        compared = compare_candidates(validated, seed=seed)
    except ValueError as error:
        raise UsageError(f"{folder}: {error}") from error
    chosen = choose_candidate(validated)
    return Choice(
        validated=validated,
        compared=compared,
        chosen=chosen,
        cutoff=choose_cutoff(validated[chosen]),
        scale_words=_all_words(about["scale_words"] for about in abouts.values()),
        seed=seed,
    )


def make_model(choice: Choice, folder: Path, out: Path) -> ModelCard:
    """Write the chosen candidate as `model.onnx` with its card, and the tables of the choice.

    Args:
        choice: of `choose_candidate_of`.
        folder: of the candidates.
        out: folder; the same choice gives the same bytes.

    Raises:
        InvalidModel: the candidate's weights are missing or were altered.
        CannotWrite: the disk is full or not writable.
    """
    card = export_candidate(choice, choice.chosen, folder, out)
    write_choice(choice, out)
    return card


def export_candidate(choice: Choice, candidate: Candidate, folder: Path, out: Path) -> ModelCard:
    """Write one of the compared candidates as `model.onnx` with its card, chosen or not.

    Args:
        choice: of `choose_candidate_of`.
        candidate: one of those that were compared; its cutoff is from its validation progenitors.
        folder: of the candidates.
        out: folder.

    Raises:
        InvalidModel, CannotWrite: as `make_model`.
    """
    place = folder / candidate.pre_training / candidate.fine_tuning
    weights = to_onnx(load_trained(place), side=SIDE)
    card = _card(choice, candidate, weights, _about(place))
    with writing(out):
        write_model(out, card, weights)
    return card


def write_choice(choice: Choice, out: Path) -> None:
    """Write candidates.csv, comparisons.csv and choice.json."""
    write_rows(out / CANDIDATE_TABLE, candidate_rows(choice))
    write_rows(out / COMPARISON_TABLE, comparison_rows(choice))
    facts = {
        "chosen": choice.chosen.name,
        "cutoff": asdict(choice.cutoff),
        "paper_cutoff": choice.cutoff.high,
        "scale": choice.scale_words,
    }
    write_json(out / CHOICE, facts)


def candidate_rows(choice: Choice) -> list[dict[str, Any]]:
    """Count correct images per candidate, on its own validation images and on progenitors.

    Intervals of the first are Clopper-Pearson, which treats images as independent; those of the
    second are a bootstrap over patients.
    """
    rows = []
    for candidate, scores in choice.validated.items():
        own = exact_interval(int(scores.is_right.sum()), len(scores))
        progenitors = scores.where(scores.is_progenitor)
        shared = patient_bootstrap(
            progenitors.is_right.astype(float), progenitors.patients, seed=choice.seed
        )
        rows.append(
            {
                "candidate": candidate.name,
                "chosen": "yes" if candidate == choice.chosen else "",
                **_counts("", scores, own),
                **_counts("progenitors_", progenitors, shared),
                "scale": choice.scale_words,
            }
        )
    return rows


def comparison_rows(choice: Choice) -> list[dict[str, Any]]:
    """Give one row per comparison with the paper's result and ours."""
    rows = []
    for one in choice.compared:
        (first, first_of), (second, second_of) = one.first, one.second
        test = asdict(one.chi_squared) if one.chi_squared else {}
        names = ("statistic", "p", "corrected_statistic", "corrected_p")
        rows.append(
            {
                "comparison": one.comparison.name,
                "paper_percent": " vs ".join(
                    f"{value:g}" for value in one.comparison.paper_percent
                ),
                "paper_p": one.comparison.paper_p,
                "first_right": first,
                "first_images": first_of,
                "first_percent": round(100 * first / first_of, 3),
                "second_right": second,
                "second_images": second_of,
                "second_percent": round(100 * second / second_of, 3),
                **{f"chi_squared_{name}": test.get(name, "") for name in names},
                "difference_on_progenitors_points": round(100 * one.difference_on_progenitors, 3),
                "interval_low_points": round(100 * one.interval.low, 3),
                "interval_high_points": round(100 * one.interval.high, 3),
                "scale": choice.scale_words,
            }
        )
    return rows


def _check_same_study(folder: Path, abouts: Mapping[Candidate, Mapping[str, Any]]) -> None:
    """Require nine candidates of one store, split, scale and seed, each in its folder."""
    for candidate, about in abouts.items():
        if about["candidate"] != candidate.name:
            raise UsageError(
                f"{folder / candidate.name} contains {about['candidate']}",
                "Keep each candidate in the folder PRE-TRAINING/METHOD",
            )
    everywhere = ("scale", "seed", "images", "split")
    within = {"pre_trained": "pre_training", "schedule": "fine_tuning"}
    for name in (*everywhere, *within):
        values: dict[str, set[Any]] = {}
        for candidate, about in abouts.items():
            group = getattr(candidate, within[name]) if name in within else ""
            values.setdefault(group, set()).add(about["belongs"].get(name))
        if any(len(found) > 1 for found in values.values()):
            raise UsageError(
                f"the candidates in {folder} differ in {name}",
                "Train all nine on the same store, split, scale and seed, the three of a method "
                "with the same schedule and the three of a pre-training from the same model",
            )


def _all_words(each: Iterable[str]) -> str:
    """Join what was scaled or changed in any of them, each once."""
    return "; ".join(dict.fromkeys(part for words in each for part in words.split("; ")))


def _about(folder: Path) -> dict[str, Any]:
    try:
        about = read_json(folder / ABOUT)
        if "candidate" not in about or "belongs" not in about:
            raise ValueError("it does not describe a candidate")
        return about
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{folder} has no finished candidate", "Train it with cxrview finetune"
        ) from error


def _card(
    choice: Choice, candidate: Candidate, weights: bytes, about: Mapping[str, Any]
) -> ModelCard:
    scores = choice.validated[candidate]
    best = choose_cutoff(scores)
    progenitors = scores.where(scores.is_progenitor)
    cutoff = round((best.low + best.high) / 2, 3)
    sha256 = hashlib.sha256(weights).hexdigest()
    return ModelCard(
        model_id=f"{candidate.name.replace('/', '-')}-{sha256[:8]}",
        weights_sha256=sha256,
        input_side=SIDE,
        cutoff=cutoff,
        paper_cutoff=best.high,
        review_band=widest_review_band(progenitors.pfi, progenitors.facts["source"], cutoff),
        precision=PRECISION,
        about=CardAbout(
            candidate=candidate.name,
            scale=choice.scale_words,
            cutoff_range=(best.low, best.high),
            chosen_on="validation progenitors",
            validation_right=int(scores.is_right.sum()),
            validation_images=len(scores),
            schedule=about["schedule"],
            belongs=about["belongs"],
            weights=WEIGHTS_NAME,
        ),
    )


def _counts(prefix: str, scores: Scores, interval: Interval) -> dict[str, Any]:
    return {
        f"{prefix}right": int(scores.is_right.sum()),
        f"{prefix}images": len(scores),
        f"{prefix}percent": round(100 * scores.accuracy, 3),
        f"{prefix}interval_low_percent": round(100 * interval.low, 3),
        f"{prefix}interval_high_percent": round(100 * interval.high, 3),
    }
