"""Run the model and the older classifiers on the same images: one PFI each."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from cxrview.assess.classifiers import HEADER, HEADER_LEARNT, SET
from cxrview.assess.header import CLAIM, claimed_pfi
from cxrview.assess.images import AssessmentImages, ImageSet, need_both_views
from cxrview.classify.model import Model
from cxrview.errors import UsageError
from cxrview.install_command import install_command
from cxrview.records.dataset import PreparedImage
from cxrview.records.scores import PROGENITOR_NAME, Scores
from cxrview.wording import plural

LEHMANN, BOONE = "lehmann", "boone"
_AT_ONCE = 512
"""Number of pictures in memory at a time."""

Pfi = NDArray[np.float64]
Predict = Callable[[NDArray[np.uint8]], Pfi]
Watch = Callable[[int], None]


def score_images(
    images: AssessmentImages,
    model: Model,
    *,
    name: str | None = None,
    baselines: bool = True,
    seed: int = 0,
    watch: Watch = lambda done: None,
) -> tuple[Scores, ...]:
    """Run every classifier on the validation, inside and external images.

    Args:
        images: of the assessment.
        model: the model.
        name: of the model in the tables; None for its model id.
        baselines: also train Lehmann's and Boone's classifiers on the training images, and assess
        headers by the view that they name, and by its share of frontal training images. These
        two are run on images with a header only, and left out if training, validation or test
        has none, or if the validation images with a header have only one view.
        seed: of the initial weights of Boone's perceptron.
        watch: called with the number of images that a classifier has done since the last call.

    Returns:
        The model first. Facts: SET, `source`, `manufacturer`, and CLAIM (the view in the header);
        the last two are empty if the header does not name them or is missing.

    Raises:
        UsageError: the model takes pictures of another size, or images or scikit-learn are missing
            for the baselines.
    """
    side = images.inside.store.pixels.shape[1]
    if side != model.card.input_side:
        raise UsageError(
            f"the store holds pictures of {side} x {side} pixels, "
            f"the model takes {model.card.input_side} x {model.card.input_side}"
        )
    rivals = _learn(images, seed) if baselines else {}
    classifiers = {name or model.card.model_id: model.pfi} | rivals
    scored = [
        _scores(classifier, images.scored, _predict_all(predict, images.scored, watch))
        for classifier, predict in classifiers.items()
    ]
    return (*scored, *(_score_headers(images) if baselines else ()))


def images_to_score(images: AssessmentImages, *, baselines: bool = True) -> int:
    """Return the number of images that `score_images` reports by `watch` in total."""
    return (3 if baselines else 1) * sum(map(len, images.scored))


def _learn(images: AssessmentImages, seed: int) -> dict[str, Predict]:
    need_both_views(images.training)
    try:
        from cxrview.assess.baselines import NEIGHBOURS, fit_boone, fit_lehmann

        shown = images.training.pixels(), images.training.is_frontal
        if len(images.training) < NEIGHBOURS:
            raise UsageError(
                plural(
                    len(images.training),
                    "training image is too few",
                    "training images are too few",
                )
                + " for training the baselines",
                "Leave them out with --no-baselines",
            )
        return {
            LEHMANN: fit_lehmann(*shown).predict_pfi,
            BOONE: fit_boone(*shown, seed=seed).predict_pfi,
        }
    except ImportError as error:
        raise UsageError(
            f"the baselines need {error.name}, which is not installed",
            "Leave them out with --no-baselines, or install it with: " + install_command("train"),
        ) from error


def _predict_all(predict: Predict, sets: Sequence[ImageSet], watch: Watch) -> Pfi:
    parts = [np.empty(0)]
    for one in sets:
        for start in range(0, len(one), _AT_ONCE):
            parts.append(predict(one.pixels(start, start + _AT_ONCE)))
            watch(len(parts[-1]))
    return np.concatenate(parts)


def _score_headers(images: AssessmentImages) -> Iterator[Scores]:
    from cxrview.assess.baselines import fit_header

    training = [image for image in images.training.images if image.has_header]
    sets = [_with_header(one) for one in images.scored]
    validation, *test = sets
    views = {image.view for image in validation.images}
    if not training or len(views) < 2 or not any(map(len, test)):
        return
    rule = fit_header(
        [image.header_view for image in training],
        _with_header(images.training).is_frontal,
    )
    claims = [image.header_view for one in sets for image in one.images]
    yield _scores(HEADER, sets, claimed_pfi(np.array([claim or "" for claim in claims], str)))
    yield _scores(HEADER_LEARNT, sets, rule.predict_pfi(claims))


def _with_header(one: ImageSet) -> ImageSet:
    having = tuple(image for image in one.images if image.has_header)
    return ImageSet(name=one.name, images=having, store=one.store)


def _scores(classifier: str, sets: Sequence[ImageSet], pfi: Pfi) -> Scores:
    each = [(one.name, image) for one in sets for image in one.images]

    def fact(of: Callable[[PreparedImage], str]) -> NDArray[np.str_]:
        return np.array([of(image) for _, image in each], str)

    return Scores(
        classifier=classifier,
        files=fact(lambda image: image.file),
        patients=fact(lambda image: image.patient),
        variants=np.full(len(each), PROGENITOR_NAME),
        is_frontal=np.concatenate([one.is_frontal for one in sets]),
        pfi=pfi,
        facts={
            SET: np.array([name for name, _ in each], str),
            "source": fact(lambda image: image.source),
            "manufacturer": fact(lambda image: image.manufacturer),
            CLAIM: fact(lambda image: image.header_view or ""),
        },
    )
