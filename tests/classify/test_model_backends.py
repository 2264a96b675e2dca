"""One contract for whatever runs a network, in any precision and on any device that is here."""

import dataclasses
import hashlib
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from cxrview.classify import devices
from cxrview.classify.backend import OnnxRuntime
from cxrview.classify.devices import is_exact_at_int8, is_fast_at_int8
from cxrview.classify.model import load_model
from cxrview.classify.model_files import read_model, write_model
from cxrview.errors import InferenceError, InvalidModel, NoSuchDevice, UsageError
from cxrview.terms import Device

SHIPPED = Path(str(files("cxrview.classify") / "weights" / "googlenet"))
MANY = 35
"""More than a call of any device takes."""


def has_cuda() -> bool:
    try:
        OnnxRuntime((SHIPPED / "model.onnx").read_bytes(), device=Device.CUDA)
    except NoSuchDevice:
        return False
    return True


HAS_CUDA = has_cuda()
KINDS = [
    "fp32 cpu",
    *(["int8 cpu"] if is_exact_at_int8() else []),
    *(["fp32 cuda"] if HAS_CUDA else []),
]


def squashed(n: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 256, 256), np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The model in the package with weights of int8, calibrated on noise."""
    pytest.importorskip("onnx", reason="needs onnx: pip install '.[train]'")
    from cxrview.train.quantise import quantise

    card, weights = read_model(SHIPPED)
    int8_weights = quantise(weights, squashed(2))
    int8 = dataclasses.replace(
        card,
        model_id="noise-int8",
        weights_sha256=hashlib.sha256(int8_weights).hexdigest(),
        cutoff=40.0,
        review_band=(30.0, 45.0),
        int8=None,
    )
    out = tmp_path_factory.mktemp("both")
    write_model(out, dataclasses.replace(card, int8=int8), weights, int8_weights)
    return out


@pytest.fixture(scope="module", params=KINDS)
def backend(request, folder) -> OnnxRuntime:
    precision, device = request.param.split()
    return load_model(folder, precision=precision, device=device, threads=1).backend


@pytest.mark.slow
def test_it_gives_a_percentage_for_each_picture(backend):
    for n in (1, 5, MANY):
        answers = backend.run(squashed(n))

        for percent in (answers.pfi, answers.chest):
            assert (percent.shape, percent.dtype) == ((n,), np.float64)
            assert ((percent >= 0) & (percent <= 100)).all()


@pytest.mark.slow
def test_no_answer_depends_on_what_shares_the_batch(backend):
    pixels = squashed(MANY)

    whole = backend.run(pixels)
    backwards = backend.run(pixels[::-1])
    alone = [backend.run(pixels[k : k + 1]) for k in range(3)]

    assert np.array_equal(whole.pfi, backwards.pfi[::-1])
    assert np.array_equal(whole.chest[:3], np.concatenate([one.chest for one in alone]))


def test_it_leaves_the_pictures_alone_and_says_the_same_again(backend):
    pixels = squashed(3)
    kept = pixels.copy()

    one, two = backend.run(pixels), backend.run(pixels)

    assert np.array_equal(pixels, kept)
    assert np.array_equal(one.pfi, two.pfi)


def test_it_has_a_name_for_the_journal(backend):
    assert backend.name in {f"onnxruntime-{device}" for device in ("cpu", "cuda")}


def test_a_device_that_gives_up_is_told_of_and_may_answer_later(backend, monkeypatch):
    class Full:
        def run(self, *_):
            raise RuntimeError("CUDA failure 2: out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(backend, "_session", Full())
        with pytest.raises(InferenceError, match=rf"failed on {backend.name} \(RuntimeError\)"):
            backend.run(squashed(1))

    assert backend.run(squashed(1)).pfi.shape == (1,)


def test_a_picture_of_another_size_is_no_fault_of_the_device(backend):
    with pytest.raises(Exception, match="invalid dimensions") as raised:
        backend.run(np.zeros((1, 64, 64), np.uint8))

    assert not isinstance(raised.value, InferenceError)


needs_int8 = pytest.mark.skipif(not is_exact_at_int8(), reason="needs a processor with VNNI")


@pytest.mark.vnni
@needs_int8
def test_the_card_is_that_of_the_precision_in_use(folder):
    fp32, int8 = (load_model(folder, precision=one, threads=1) for one in ("fp32", "int8"))

    assert fp32.card.int8 == int8.card
    assert (int8.card.model_id, int8.card.cutoff) == ("noise-int8", 40.0)
    assert fp32.card.model_id != int8.card.model_id
    assert not np.array_equal(fp32.pfi(squashed(2)), int8.pfi(squashed(2)))


def test_auto_takes_int8_where_the_processor_is_quick_at_it(folder):
    model = load_model(folder, device="cpu", threads=1)

    assert (model.card.model_id == "noise-int8") is is_fast_at_int8()


def test_auto_takes_fp32_where_there_is_nothing_else(folder, tmp_path):
    card, weights = read_model(folder)
    write_model(tmp_path, dataclasses.replace(card, int8=None), weights)

    assert load_model(tmp_path, threads=1).card.model_id == card.model_id
    with pytest.raises(UsageError, match="no weights of int8"):
        load_model(tmp_path, precision="int8")


@pytest.mark.vnni
@needs_int8
def test_one_changed_bit_of_int8_is_refused_and_of_fp32_does_not_matter_to_it(folder, tmp_path):
    card, weights = read_model(folder)
    int8_weights = (folder / "model-int8.onnx").read_bytes()
    write_model(tmp_path, card, weights, int8_weights)
    changed = bytearray(int8_weights)
    changed[len(changed) // 2] ^= 1
    (tmp_path / "model-int8.onnx").write_bytes(changed)

    with pytest.raises(InvalidModel, match="SHA-256 differs"):
        load_model(tmp_path, precision="int8")
    assert load_model(tmp_path, precision="fp32", threads=1).card.model_id == card.model_id


def test_a_device_that_is_not_here_is_refused_in_words(folder):
    if HAS_CUDA:
        return  # then it is held to the contract above
    with pytest.raises(UsageError, match="finds no device cuda|cannot use it here"):
        load_model(folder, device="cuda")
    with pytest.raises(UsageError, match="finds no device cuda|cannot use it here"):
        OnnxRuntime((SHIPPED / "model.onnx").read_bytes(), device=Device.CUDA)


@pytest.mark.skipif(HAS_CUDA, reason="needs a machine without CUDA")
@pytest.mark.filterwarnings("ignore:Specified provider 'CUDA")
def test_without_a_gpu_onnxruntime_gpu_does_as_onnxruntime(folder, monkeypatch, capfd):
    """As in a container made for machines with a GPU."""
    monkeypatch.setattr(devices, "is_built_for", lambda device: True)

    model = load_model(folder, threads=1)
    with pytest.raises(NoSuchDevice, match="was built for cuda, and cannot use it here"):
        load_model(folder, device="cuda")

    assert model.backend.name == "onnxruntime-cpu"
    assert (model.card.model_id == "noise-int8") is is_fast_at_int8()
    assert capfd.readouterr().out == ""  # rows may be going there


@pytest.mark.parametrize("asked", [{"precision": "int4"}, {"device": "tpu"}])
def test_an_unheard_of_precision_or_device_is_a_value_error(folder, asked):
    with pytest.raises(ValueError, match="is not a valid"):
        load_model(folder, **asked)
