"""A model that is damaged, strange or pickled is refused in words."""

import dataclasses
import hashlib
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from cxrview.classify.backend import OnnxRuntime
from cxrview.classify.model import load_model
from cxrview.classify.model_files import write_model
from cxrview.errors import InvalidModel


@pytest.fixture(scope="module")
def shipped():
    return load_model("googlenet", precision="fp32", device="cpu", threads=1)


def squashed(n: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 256, 256), np.uint8)


def test_pfi_does_not_depend_on_what_shares_the_batch(shipped):
    pixels = squashed(4)

    whole = shipped.pfi(pixels)
    backwards = shipped.pfi(pixels[::-1])[::-1]
    alone = np.concatenate([shipped.pfi(pixels[k : k + 1]) for k in range(3)])

    assert np.array_equal(whole, backwards)
    assert np.array_equal(whole[:3], alone)


def test_several_threads_get_the_answers_of_one(shipped):
    pixels = squashed(9)

    one_by_one = np.concatenate([shipped.pfi(pixels[k : k + 1]) for k in range(len(pixels))])

    assert np.array_equal(shipped.pfi(pixels), one_by_one)


def test_the_threads_within_a_batch_change_no_digit(shipped):
    pixels = squashed(4)

    two = load_model("googlenet", threads=2, precision="fp32")

    assert np.array_equal(two.pfi(pixels), shipped.pfi(pixels))


def test_pfi_is_a_percentage(shipped):
    pfi = shipped.pfi(squashed(5))

    assert pfi.shape == (5,)
    assert ((pfi >= 0) & (pfi <= 100)).all()


@pytest.mark.parametrize("weights", [b"", b"not a network", pickle.dumps({"weights": 1})])
def test_what_is_no_onnx_is_refused(weights):
    with pytest.raises(InvalidModel, match="cannot be loaded"):
        OnnxRuntime(weights)


def test_a_card_that_knows_nothing_of_an_output_of_the_network_is_refused(shipped, tmp_path):
    from importlib.resources import files

    weights = (files("cxrview.classify") / "weights" / "googlenet" / "model.onnx").read_bytes()
    write_model(tmp_path, dataclasses.replace(shipped.card, int8=None, chest_cutoff=None), weights)

    with pytest.raises(InvalidModel, match="differ in whether there is an output chest"):
        load_model(tmp_path)


def test_chest_is_a_percentage_too(shipped):
    answers = shipped.answer(squashed(7))

    assert answers.chest.shape == answers.pfi.shape == (7,)
    assert ((answers.chest >= 0) & (answers.chest <= 100)).all()


def test_a_card_of_another_input_size_is_refused(shipped, tmp_path):
    from importlib.resources import files

    weights = (files("cxrview.classify") / "weights" / "googlenet" / "model.onnx").read_bytes()
    write_model(tmp_path, dataclasses.replace(shipped.card, int8=None, input_side=224), weights)

    with pytest.raises(InvalidModel, match="takes 256 x 256 pixels, its card says 224"):
        load_model(tmp_path)


def test_a_vouched_for_text_is_refused_all_the_same(shipped, tmp_path):
    weights = b"not a network"
    sha256 = hashlib.sha256(weights).hexdigest()
    write_model(
        tmp_path, dataclasses.replace(shipped.card, int8=None, weights_sha256=sha256), weights
    )

    with pytest.raises(InvalidModel, match="cannot be loaded"):
        load_model(tmp_path)


def test_the_runtime_keeps_no_diary_and_phones_nobody(tmp_path):
    """ONNX Runtime 1.32 and later would write a device id and events below HOME, to be sent."""
    code = (
        "from cxrview.classify.model import load_model; import numpy as np;"
        "load_model().backend.run(np.zeros((1, 256, 256), np.uint8))"
    )
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ORT_", "XDG_"))}

    subprocess.run([sys.executable, "-c", code], check=True, env={**kept, "HOME": str(tmp_path)})

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("change", ["share", "standard", "12 bits", "list", "one", "channel"])
def test_a_model_refuses_what_it_would_silently_take_for_another_picture(shipped, change):
    pixels = squashed(2)
    changed = {
        "share": (pixels / 255).astype(np.float32),
        "standard": (pixels - pixels.mean()) / pixels.std(),
        "12 bits": pixels.astype(np.uint16) * 16,
        "list": list(pixels),
        "one": pixels[0],
        "channel": pixels[:, None],
    }[change]

    for ask in (shipped.pfi, shipped.answer):
        with pytest.raises(ValueError, match=r"array of shape \(n, 256, 256\), uint8.*; got"):
            ask(changed)


def test_no_radiograph_has_no_pfi(shipped, model):
    none = shipped.answer(squashed(0))

    assert none.pfi.shape == none.chest.shape == (0,)
    assert shipped.pfi(squashed(0)).shape == (0,)
    assert model.answer(squashed(0)).chest is None


def test_an_array_that_is_not_contiguous_gets_the_same_pfi(shipped):
    pixels = squashed(3)
    strided = np.asfortranarray(np.repeat(pixels, 2, axis=2))[:, :, ::2]

    assert np.array_equal(shipped.pfi(strided), shipped.pfi(pixels))


def test_a_tensor_is_taken_as_numpy_takes_it(shipped):
    torch = pytest.importorskip("torch")
    pixels = squashed(2)

    assert np.array_equal(shipped.pfi(torch.from_numpy(pixels)), shipped.pfi(pixels))
    with pytest.raises(ValueError, match="got float32 from 0 to 1"):
        shipped.pfi(torch.from_numpy(pixels) / 255)


def test_a_network_that_is_asked_past_the_model_takes_no_floats_either(shipped):
    with pytest.raises(ValueError, match="takes uint8; got float64"):
        shipped.backend.run(squashed(1) / 255)
