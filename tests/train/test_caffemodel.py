"""Caffe's file of the published weights becomes the arrays that `--published` takes.

The files are written by Google's library from the messages of caffe.proto, of which only the fields
that matter are declared here.
"""

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("google.protobuf", reason="needs protobuf: pip install '.[train]'")
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from cxrview.errors import InvalidModel, UsageError
from cxrview.train.caffemodel import (
    PUBLISHED_SHA256,
    arrays_sha256,
    read_caffemodel,
    write_arrays,
)

FIELDS = {
    "BlobShape": [("dim", 1, "int64", "repeated")],
    "BlobProto": [
        ("num", 1, "int32", ""),
        ("channels", 2, "int32", ""),
        ("height", 3, "int32", ""),
        ("width", 4, "int32", ""),
        ("data", 5, "float", "repeated"),
        ("diff", 6, "float", "repeated"),
        ("shape", 7, "BlobShape", ""),
        ("double_data", 8, "double", "repeated"),
    ],
    "LayerParameter": [
        ("name", 1, "string", ""),
        ("type", 2, "string", ""),
        ("loss_weight", 5, "float", "unpacked"),
        ("blobs", 7, "BlobProto", "repeated"),
    ],
    "V1LayerParameter": [
        ("name", 4, "string", ""),
        ("type", 5, "int32", ""),
        ("blobs", 6, "BlobProto", "repeated"),
        ("blobs_lr", 7, "float", "unpacked"),
    ],
    "NetParameter": [
        ("name", 1, "string", ""),
        ("layers", 2, "V1LayerParameter", "repeated"),
        ("input_dim", 4, "int32", "unpacked"),
        ("layer", 100, "LayerParameter", "repeated"),
    ],
}
"""Messages of caffe.proto (BVLC/caffe): name, number, type and label of each field."""


def declare() -> type:
    """The class of NetParameter."""
    file = descriptor_pb2.FileDescriptorProto(name="caffe.proto", package="caffe", syntax="proto2")
    kinds = descriptor_pb2.FieldDescriptorProto
    for message, fields in FIELDS.items():
        declared = file.message_type.add(name=message)
        for name, number, kind, label in fields:
            field = declared.field.add(name=name, number=number)
            field.label = kinds.LABEL_REPEATED if label else kinds.LABEL_OPTIONAL
            if kind in FIELDS:
                field.type, field.type_name = kinds.TYPE_MESSAGE, f".caffe.{kind}"
            else:
                field.type = getattr(kinds, f"TYPE_{kind.upper()}")
                field.options.packed = label == "repeated" and kind != "string"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("caffe.NetParameter"))


NetParameter = declare()


def draw() -> dict[str, np.ndarray]:
    """Arrays of two convolutions and a fully connected layer."""
    rng = np.random.default_rng(0)
    shapes = {
        "conv1/7x7_s2": (8, 3, 7, 7),
        "inception_3a/1x1": (300, 8, 1, 1),
        "loss3/classifier": (10, 300),
    }
    arrays = {}
    for name, shape in shapes.items():
        arrays[f"{name}.weight"] = rng.normal(size=shape).astype(np.float32)
        arrays[f"{name}.bias"] = rng.normal(size=shape[:1]).astype(np.float32)
    return arrays


def net_of(arrays, *, is_old: bool, doubles: bool = False):
    """A network with these layers, one without weights, and an auxiliary classifier."""
    net = NetParameter(name="GoogleNet", input_dim=[1, 3, 224, 224])
    layers = net.layers if is_old else net.layer
    layers.add(name="data")
    names = dict.fromkeys(name.rpartition(".")[0] for name in arrays)
    for name in [*names, "loss1/classifier"]:
        layer = layers.add(name=name)
        for kind in ("weight", "bias"):
            array = arrays.get(f"{name}.{kind}", np.ones((2, 2), np.float32))
            blob = layer.blobs.add()
            (blob.double_data if doubles else blob.data).extend(array.ravel().tolist())
            blob.diff.extend([0.5, 0.25])
            if is_old:
                blob.num, blob.channels, blob.height, blob.width = (1, 1, 1, 1, *array.shape)[-4:]
            else:
                blob.shape.dim.extend(array.shape)
    return net


@pytest.mark.parametrize("doubles", [False, True])
@pytest.mark.parametrize("is_old", [False, True])
def test_read_caffemodel_gives_names_shapes_and_values(tmp_path, is_old, doubles):
    arrays = draw()
    path = tmp_path / "drawn.caffemodel"
    path.write_bytes(net_of(arrays, is_old=is_old, doubles=doubles).SerializeToString())

    found = read_caffemodel(path)

    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == np.float32
        assert np.array_equal(found[name], array), name


@pytest.mark.parametrize(
    "content",
    [b"", b"no model", bytes(range(256)), b"\xff" * 64],
    ids=["empty", "text", "bytes", "endless number"],
)
def test_read_caffemodel_refuses_other_files(tmp_path, content):
    path = tmp_path / "other.caffemodel"
    path.write_bytes(content)

    with pytest.raises(InvalidModel, match=r"other\.caffemodel"):
        read_caffemodel(path)


def test_read_caffemodel_refuses_a_truncated_or_missing_file(tmp_path):
    path = tmp_path / "short.caffemodel"
    whole = net_of(draw(), is_old=False).SerializeToString()
    path.write_bytes(whole[: len(whole) // 2])

    with pytest.raises(InvalidModel, match="damaged"):
        read_caffemodel(path)
    with pytest.raises(InvalidModel, match="cannot be read"):
        read_caffemodel(tmp_path / "missing")


def test_read_caffemodel_refuses_values_that_do_not_fill_the_shape(tmp_path):
    net = net_of(draw(), is_old=False)
    net.layer[1].blobs[0].shape.dim[0] += 1
    path = tmp_path / "odd.caffemodel"
    path.write_bytes(net.SerializeToString())

    with pytest.raises(InvalidModel, match="damaged"):
        read_caffemodel(path)


def test_write_arrays_replaces_no_file(tmp_path):
    path = tmp_path / "weights.npz"
    write_arrays(draw(), path)

    with np.load(path, allow_pickle=False) as stored:
        assert arrays_sha256(dict(stored)) == arrays_sha256(draw())
    with pytest.raises(UsageError, match="already exists"):
        write_arrays({}, path)


def test_arrays_sha256_depends_on_names_shapes_and_values_and_not_on_their_order():
    arrays = draw()
    turned = dict(reversed(arrays.items()))
    reshaped = arrays | {"loss3/classifier.weight": arrays["loss3/classifier.weight"].T.copy()}
    changed = arrays | {"conv1/7x7_s2.bias": arrays["conv1/7x7_s2.bias"] + 1}

    digests = [arrays_sha256(one) for one in (arrays, turned, reshaped, changed)]

    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def convert(*files) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cxrview.train.caffemodel", *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("is_old", [False, True])
def test_the_published_weights_come_back_from_a_caffe_file(shared_data, tmp_path, is_old):
    with np.load(shared_data / "pretraining" / "bvlc-googlenet.npz") as stored:
        published = dict(stored)
    caffe = tmp_path / "bvlc_googlenet.caffemodel"
    caffe.write_bytes(net_of(published, is_old=is_old).SerializeToString())

    done = convert(caffe, tmp_path / "converted.npz")

    assert done.returncode == 0, done.stderr
    assert f"116 arrays in {tmp_path}/converted.npz" in done.stdout
    assert PUBLISHED_SHA256 in done.stdout and " not " not in done.stdout
    with np.load(tmp_path / "converted.npz") as converted:
        assert all(np.array_equal(converted[name], published[name]) for name in published)


def test_convert_says_that_other_weights_are_others(tmp_path):
    caffe = tmp_path / "drawn.caffemodel"
    caffe.write_bytes(net_of(draw(), is_old=True).SerializeToString())

    done = convert(caffe, tmp_path / "drawn.npz")
    again = convert(caffe, tmp_path / "drawn.npz")
    unnamed = convert(caffe)

    assert done.returncode == 0, done.stderr
    assert "6 arrays" in done.stdout and "not the weights" in done.stdout
    assert again.returncode == 2 and "already exists" in again.stderr
    assert unnamed.returncode == 2 and "name two files" in unnamed.stderr
