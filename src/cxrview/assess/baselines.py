"""Older classifiers to compare a model with, trained on the same images.

These are Lehmann's nearest neighbours, Boone's perceptron, and the view in the header. torch is not
needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cxrview.terms import View
from cxrview.wording import plural

if TYPE_CHECKING:
    from sklearn.neural_network import MLPClassifier

LEHMANN_SIDE, BOONE_SIDE = 32, 16
"""Rows and columns of the pictures that each classifier takes."""
NEIGHBOURS = 5
MAX_DISPLACEMENT = 4
"""Pixels, of 32, by which two pictures may be displaced. Ours: an eighth of the side."""
HIDDEN_NODES = 5
WEIGHT_PENALTY = 0.1
"""Ours: of 0.0001 to 10, the largest one without additional errors on validation patients."""
_MAX_STEPS = 2000
_QUERIES_AT_ONCE = 512

Pixels = NDArray[np.uint8]


def feature_images(pixels: Pixels, side: int) -> NDArray[np.float32]:
    """Shrink squashed radiographs by averaging blocks of pixels.

    Args:
        pixels: shape (n, rows, rows), uint8; `side` divides `rows`.
        side: rows and columns of the result.

    Returns:
        Shape (n, side, side), float32, 0 to 255.

    Raises:
        ValueError: `side` does not divide the rows, or the pictures are not square.
    """
    images, rows, columns = pixels.shape
    if rows != columns or rows % side:
        raise ValueError(f"{rows} x {columns} pixels make no blocks of {side} x {side}")
    block = rows // side
    blocks = pixels.reshape(images, side, block, side, block)
    means: NDArray[np.float32] = blocks.mean(axis=(2, 4), dtype=np.float32)
    return means


@dataclass(frozen=True, slots=True, kw_only=True)
class Lehmann:
    """Nearest-neighbour classifier: reference radiographs with known views."""

    references: NDArray[np.float32]
    """Shape (n, side, side)."""
    is_frontal: NDArray[np.bool_]
    """Shape (n,)."""
    neighbours: int
    max_displacement: int

    def predict_pfi(self, pixels: Pixels) -> NDArray[np.float64]:
        """Return the percentage of frontal images among the most similar references.

        Args:
            pixels: shape (n, 256, 256), uint8.

        Returns:
            Shape (n,), percent; of equally similar references the first ones count.
        """
        nearest = np.concatenate([np.empty((0, self.neighbours), np.intp), *self._nearest(pixels)])
        pfi: NDArray[np.float64] = 100 * self.is_frontal[nearest].mean(axis=1)
        return pfi

    def _nearest(self, pixels: Pixels) -> list[NDArray[np.intp]]:
        queries = feature_images(pixels, self.references.shape[-1])
        spans = range(0, len(queries), _QUERIES_AT_ONCE)
        similar = (
            best_correlation(
                queries[k : k + _QUERIES_AT_ONCE], self.references, self.max_displacement
            )
            for k in spans
        )
        return [np.argsort(-s, axis=1, kind="stable")[:, : self.neighbours] for s in similar]


def fit_lehmann(
    pixels: Pixels,
    is_frontal: NDArray[np.bool_],
    *,
    side: int = LEHMANN_SIDE,
    neighbours: int = NEIGHBOURS,
    max_displacement: int = MAX_DISPLACEMENT,
) -> Lehmann:
    """Return a nearest-neighbour classifier with these training images as references.

    Args:
        pixels: shape (n, 256, 256), uint8, squashed.
        is_frontal: shape (n,), the truth.
        side: rows and columns that are compared.
        neighbours: number of references that vote; odd, so that a tie cannot occur.
        max_displacement: maximum displacement, in pixels of `side`, in each direction.

    Raises:
        ValueError: fewer images than neighbours, an even number of neighbours, a view without
            an image, or a displacement that leaves nothing to compare.

    Source:
        Lehmann 2003 (J Digit Imaging 16:280): squared to 32 x 32 whatever the aspect ratio, 5
        nearest by normalised cross-correlation at the optimal displacement: 99.6 % of 1,867 by
        leaving one out. The largest displacement is not published.
    """
    _check_truth(pixels, is_frontal)
    if neighbours % 2 == 0 or not 0 < neighbours <= len(pixels):
        raise ValueError(f"{neighbours} neighbours of {len(pixels)} images decide nothing")
    if not 0 <= max_displacement < side // 2:
        raise ValueError(
            f"a displacement of {max_displacement} leaves too little of {side} pixels to compare"
        )
    return Lehmann(
        references=feature_images(pixels, side),
        is_frontal=is_frontal,
        neighbours=neighbours,
        max_displacement=max_displacement,
    )


def best_correlation(
    queries: NDArray[np.float32], references: NDArray[np.float32], max_displacement: int
) -> NDArray[np.float32]:
    """Compute the cross-correlation of every query with every reference at the best displacement.

    Args:
        queries: shape (n, side, side).
        references: shape (m, side, side).
        max_displacement: maximum displacement in rows and columns, in either direction.

    Returns:
        Shape (n, m), -1 to 1: Pearson's correlation of the overlapping pixels; 0 if either is
        constant there.
    """
    best = np.full((len(queries), len(references)), -1, np.float32)
    for down in range(-max_displacement, max_displacement + 1):
        for right in range(-max_displacement, max_displacement + 1):
            here = _normalised(_overlap(queries, down, right))
            there = _normalised(_overlap(references, -down, -right))
            np.maximum(best, here @ there.T, out=best)
    return best


def _overlap(images: NDArray[np.float32], down: int, right: int) -> NDArray[np.float32]:
    """Return the part of each image that overlaps with one displaced by `down` and `right`."""
    side = images.shape[-1]
    rows = slice(max(down, 0), side + min(down, 0))
    columns = slice(max(right, 0), side + min(right, 0))
    return images[:, rows, columns]


def _normalised(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each image as a row of mean 0 and length 1; of zeros if it is constant."""
    flat = images.reshape(len(images), -1)
    centred = flat - flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    # The mean of equal float32 has a rounding error: without a minimum, noise would correlate.
    is_flat = length < 1e-3 * np.sqrt(flat.shape[1])
    return np.where(is_flat, np.float32(0), centred / np.where(is_flat, np.float32(1), length))


@dataclass(frozen=True, slots=True, kw_only=True)
class Boone:
    """A trained perceptron classifier."""

    perceptron: "MLPClassifier"
    side: int

    def predict_pfi(self, pixels: Pixels) -> NDArray[np.float64]:
        """Return the probability of frontal.

        Args:
            pixels: shape (n, 256, 256), uint8.

        Returns:
            Shape (n,), percent.
        """
        if not len(pixels):
            return np.empty(0)
        probability = self.perceptron.predict_proba(_inputs(pixels, self.side))
        pfi: NDArray[np.float64] = 100 * probability[:, 1].astype(np.float64)
        return pfi


def fit_boone(
    pixels: Pixels,
    is_frontal: NDArray[np.bool_],
    *,
    seed: int,
    side: int = BOONE_SIDE,
    hidden: int = HIDDEN_NODES,
    penalty: float = WEIGHT_PENALTY,
) -> Boone:
    """Train a multilayer perceptron on very small radiographs.

    Args:
        pixels: shape (n, 256, 256), uint8, squashed.
        is_frontal: shape (n,), the truth.
        seed: of the initial weights.
        side: rows and columns of its input.
        hidden: nodes of the one hidden layer, logistic.
        penalty: weight of the squared weights in the loss.

    Raises:
        ValueError: arrays of different lengths, or a view without an image.

    Source:
        Boone 2003 (J Digit Imaging 16:345): 16 x 16 pixels, 5 hidden nodes, 98.8 % by leaving
        one out, average of six runs. Ours: each picture set to mean 0 and standard deviation
        1, L-BFGS to convergence, and the penalty.
    """
    from sklearn.neural_network import MLPClassifier

    _check_truth(pixels, is_frontal)
    perceptron = MLPClassifier(
        hidden_layer_sizes=(hidden,),
        activation="logistic",
        solver="lbfgs",
        alpha=penalty,
        max_iter=_MAX_STEPS,
        random_state=seed % 2**32,  # scikit-learn takes no larger one
    )
    perceptron.fit(_inputs(pixels, side), is_frontal)
    return Boone(perceptron=perceptron, side=side)


def _inputs(pixels: Pixels, side: int) -> NDArray[np.float64]:
    """Return each picture with mean 0 and standard deviation 1, shape (n, side * side)."""
    normalised = _normalised(feature_images(pixels, side))
    return normalised.astype(np.float64) * side


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderRule:
    """Share of frontal images for each view that a header can name, or for none."""

    pfi_of: dict[View | None, float]
    """Percent frontal by the view in the header; views that did not occur are missing."""

    def predict_pfi(self, claims: Sequence[View | None]) -> NDArray[np.float64]:
        """Return the share of frontal training images with the same claim; 50 if there were none.

        Returns:
            Shape (n,), percent.
        """
        return np.array([self.pfi_of.get(claim, 50.0) for claim in claims], np.float64)


def fit_header(claims: Sequence[View | None], is_frontal: NDArray[np.bool_]) -> HeaderRule:
    """Count how often images are frontal for each view that their header names, or for none.

    Args:
        claims: the view in each header by the mapping table; None if it names none.
        is_frontal: shape (n,), the truth.

    Raises:
        ValueError: `claims` and `is_frontal` differ in length.
    """
    if len(claims) != len(is_frontal):
        raise ValueError(
            f"{plural(len(claims), 'header has', 'headers have')} "
            f"{plural(len(is_frontal), 'truth')}"
        )
    of = {c: [k for k, other in enumerate(claims) if other is c] for c in (*View, None)}
    return HeaderRule(
        pfi_of={c: float(100 * is_frontal[rows].mean()) for c, rows in of.items() if rows}
    )


def _check_truth(pixels: Pixels, is_frontal: NDArray[np.bool_]) -> None:
    if len(pixels) != len(is_frontal):
        raise ValueError(
            f"{plural(len(pixels), 'image has', 'images have')} {plural(len(is_frontal), 'truth')}"
        )
    if is_frontal.all() or not is_frontal.any():
        raise ValueError("a classifier needs at least one frontal and one lateral image")
