import errno

import pytest
import torch

from cxrview.atomic_files import PART
from cxrview.errors import InvalidModel
from cxrview.train.checkpoint import (
    load_weights,
    restore_checkpoint,
    save_checkpoint,
    steps_done,
)


@pytest.fixture
def model():
    return torch.nn.Linear(2, 2)


@pytest.fixture
def optimiser(model):
    return torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)


def test_full_disk_is_an_error_of_the_system_and_keeps_the_checkpoint(tmp_path, model, optimiser):
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, model, optimiser, {}, 1)
    path.with_name(path.name + PART).symlink_to("/dev/full")

    with pytest.raises(OSError) as caught:
        save_checkpoint(path, model, optimiser, {}, 2)

    assert caught.value.errno == errno.ENOSPC
    assert steps_done(path) == 1


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_damaged_checkpoint_says_what_to_do(tmp_path, model, optimiser, share):
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, model, optimiser, {}, 1)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])

    for read in (
        lambda: steps_done(path),
        lambda: load_weights(path, model),
        lambda: restore_checkpoint(path, model, optimiser, {}),
    ):
        with pytest.raises(InvalidModel, match="damaged"):
            read()


def test_load_weights_says_that_the_checkpoint_is_missing(tmp_path, model):
    with pytest.raises(InvalidModel, match=r"gone\.safetensors does not exist"):
        load_weights(tmp_path / "gone.safetensors", model)


@pytest.mark.parametrize(
    ("fact", "named"), [("seed", "seed"), ("pictures", "pictures"), ("lesson", "images")]
)
def test_restore_checkpoint_names_what_differs(tmp_path, model, optimiser, fact, named):
    path = tmp_path / "checkpoint.safetensors"
    belongs = {"recipe": "r", "seed": "1", "pictures": "p", "lesson": "l"}
    save_checkpoint(path, model, optimiser, belongs, 1)

    with pytest.raises(InvalidModel, match=rf"differs in {named}\."):
        restore_checkpoint(path, model, optimiser, belongs | {fact: "other"})
