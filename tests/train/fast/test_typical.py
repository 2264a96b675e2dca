import numpy as np
import pytest

from cxrview.classify.backend import OnnxRuntime
from cxrview.terms import Partition
from cxrview.train.fast.export import to_onnx
from cxrview.train.fast.model import FastModel
from cxrview.train.fast.pictures import open_pictures
from cxrview.train.fast.typical import Typical, fit_typical

RNG = np.random.default_rng(0)


def test_distance_is_one_on_average_for_what_the_axes_come_from():
    """Mahalanobis: the mean square of standardised components is 1 by definition."""
    features = RNG.normal(3, 1, (500, 6)) * [1, 2, 3, 4, 5, 6]
    centred = features - features.mean(axis=0)
    _, spread, directions = np.linalg.svd(centred, full_matrices=False)
    axes = directions.T / (spread / np.sqrt(500))
    typical = Typical(
        mean=features.mean(axis=0).astype(np.float32),
        axes=axes.astype(np.float32),
        offset=0.0,
        slope=1.0,
    )

    assert typical.distance(features.astype(np.float32)).mean() == pytest.approx(1, rel=1e-3)
    scipy_distance = pytest.importorskip("scipy.spatial.distance", reason="scipy is missing")
    inverse = np.linalg.inv(np.cov(features, rowvar=False, bias=True))
    one = scipy_distance.mahalanobis(features[0], features.mean(axis=0), inverse)
    found = typical.distance(features[:1].astype(np.float32))
    assert found[0] == pytest.approx(one**2 / 6, rel=1e-3)


@pytest.fixture(scope="module")
def fitted(pictures_folder):
    import torch

    torch.manual_seed(0)
    model = FastModel(0.125).eval()
    pictures = open_pictures(pictures_folder)
    return model, pictures, fit_typical(model, pictures)


def test_fit_typical_puts_training_radiographs_near_one(fitted):
    _, _, typical = fitted

    assert typical.slope > 0
    assert np.isfinite([typical.offset, typical.slope]).all()
    assert typical.mean.shape[0] == typical.axes.shape[0]


def test_to_onnx_limits_chest_by_the_distance(fitted):
    """What is unlike the training radiographs has a lower `chest` than the head alone gives."""
    model, pictures, typical = fitted
    shown = np.concatenate(
        [
            np.asarray(pictures.pixels[pictures.is_in(Partition.TRAINING)])[:4],
            RNG.integers(0, 256, (4, 256, 256), np.uint8),
        ]
    )

    alone = OnnxRuntime(to_onnx(model), threads=1).run(shown)
    limited = OnnxRuntime(to_onnx(model, typical=typical), threads=1).run(shown)

    assert (limited.chest <= alone.chest + 1e-4).all()
    assert (limited.chest[4:] < alone.chest[4:]).all()
    assert (limited.pfi == alone.pfi).all()
