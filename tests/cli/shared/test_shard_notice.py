"""Who shares an archive out is told before the run what all machines must have alike."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from cxrview.cli.shared.shard_notice import ShardKey, print_what_must_agree
from cxrview.image.pseudonyms import key_condition
from cxrview.terms import Device, Precision

KEY = b"k" * 32


def told(capsys, key, precision=Precision.FP32, device=Device.AUTO, backend="onnxruntime-cpu"):
    model = SimpleNamespace(
        card=SimpleNamespace(precision="in int8"), backend=SimpleNamespace(name=backend)
    )
    print_what_must_agree("1/2", key, model, precision, device)
    out, err = capsys.readouterr()
    assert out == ""
    return err


def shard_key(*, is_named: bool, is_new: bool) -> ShardKey:
    return ShardKey(path=Path("own.key"), key=KEY, is_named=is_named, is_new=is_new)


def test_what_a_machine_chose_by_itself_is_told_with_the_options_for_all(capsys):
    err = told(capsys, shard_key(is_named=False, is_new=False), Precision.AUTO)

    assert err.startswith("--shard 1/2: ")
    assert f"own.key (this machine's own; {key_condition(KEY)}); copy it to all machines" in err
    assert "precision: in int8, by the processor" in err
    assert err.endswith("such as --key shared.key --precision fp32\n")
    assert KEY.decode() not in err


def test_a_key_that_was_named_and_made_now_has_to_be_copied_first(capsys):
    err = told(capsys, shard_key(is_named=True, is_new=True), Precision.INT8)

    assert "own.key (created now" in err and "precision:" not in err
    assert err.endswith("such as --key own.key --precision int8\n")


def test_a_gpu_that_was_found_is_told_of(capsys):
    err = told(capsys, None, backend="onnxruntime-cuda")

    assert "device: onnxruntime-cuda" in err and "key" not in err
    assert err.endswith("such as --precision fp32 --device cpu\n")


@pytest.mark.parametrize("key", [None, shard_key(is_named=True, is_new=False)])
@pytest.mark.parametrize("backend, device", [("-cpu", Device.AUTO), ("-cuda", Device.CUDA)])
def test_nothing_is_told_where_nothing_was_left_to_the_machine(capsys, key, backend, device):
    assert told(capsys, key, device=device, backend=f"onnxruntime{backend}") == ""
