import dataclasses
import errno
import hashlib
import json
from importlib.resources import files

import pytest

from cxrview.classify import model_files
from cxrview.classify.model_files import read_card, read_model, read_weights, write_model
from cxrview.errors import InvalidModel
from cxrview.records.card_about import CardAbout, CardStatements
from cxrview.records.model_card import ModelCard
from cxrview.records.risk_curve import Head, RiskCurve

SHIPPED = files("cxrview.classify") / "weights" / "googlenet"
WEIGHTS = bytes(range(256))
CARD = ModelCard(
    model_id="test-1",
    weights_sha256=hashlib.sha256(WEIGHTS).hexdigest(),
    input_side=256,
    cutoff=50.0,
    paper_cutoff=99.6,
    review_band=(20.0, 80.0),
    precision="float32",
    about=CardAbout(statements=CardStatements(weights_licence="none")),
)


def test_a_model_is_read_as_it_was_written(tmp_path):
    write_model(tmp_path, CARD, WEIGHTS)

    assert read_model(tmp_path) == (CARD, WEIGHTS)


def test_write_model_gives_shipped_card_byte_for_byte(tmp_path):
    card, weights = read_model(SHIPPED)

    write_model(tmp_path, card, weights, (SHIPPED / "model-int8.onnx").read_bytes())

    assert (tmp_path / "card.json").read_bytes() == (SHIPPED / "card.json").read_bytes()


def test_read_card_keeps_risk_curves_by_head(tmp_path):
    curve = RiskCurve(thresholds=(98.0, 60.0), decided=(90, 100), errors=(0, 1))
    card = dataclasses.replace(CARD, risk_curves={Head.VIEW: curve})
    write_model(tmp_path, card, WEIGHTS)

    found = read_card(tmp_path)

    assert found == card
    assert [type(head) for head in found.risk_curves] == [Head]


@pytest.mark.parametrize("curves", [[], {"colour": {}}, {"view": {"thresholds": [98.0]}}])
def test_read_card_refuses_risk_curves_of_another_form(tmp_path, curves):
    write_model(tmp_path, CARD, WEIGHTS)
    fields = json.loads((tmp_path / "card.json").read_text())
    (tmp_path / "card.json").write_text(json.dumps(fields | {"risk_curves": curves}))

    with pytest.raises(InvalidModel):
        read_card(tmp_path)


def test_read_card_takes_card_with_other_facts(tmp_path):
    """Cards of earlier versions lack keys, have others, and other forms of the same."""
    write_model(tmp_path, CARD, WEIGHTS)
    fields = json.loads((tmp_path / "card.json").read_text())
    about = {"seed": 3, "test": {"accuracy": 0.99}, "licence": "none"}
    (tmp_path / "card.json").write_text(json.dumps(fields | {"about": about}))

    card = read_card(tmp_path)

    assert (card.about.seed, card.about.test, card.about.recipe) == (3, None, None)
    assert card.about.as_json() == about


INT8_WEIGHTS = bytes(range(128))
INT8 = dataclasses.replace(
    CARD,
    model_id="test-int8-1",
    weights_sha256=hashlib.sha256(INT8_WEIGHTS).hexdigest(),
    review_band=(30.0, 70.0),
    precision="int8",
)
BOTH = dataclasses.replace(CARD, int8=INT8)


def test_a_model_of_two_precisions_is_read_as_it_was_written(tmp_path):
    write_model(tmp_path, BOTH, WEIGHTS, INT8_WEIGHTS)

    assert read_model(tmp_path) == (BOTH, WEIGHTS)
    assert read_weights(tmp_path / "model-int8.onnx", read_card(tmp_path).int8) == INT8_WEIGHTS


def test_weights_of_int8_are_gone_when_a_model_without_them_takes_the_place(tmp_path):
    write_model(tmp_path, BOTH, WEIGHTS, INT8_WEIGHTS)
    write_model(tmp_path, CARD, WEIGHTS)

    assert {path.name for path in tmp_path.iterdir()} == {"model.onnx", "card.json"}


@pytest.mark.parametrize(("card", "weights"), [(CARD, None), (BOTH, INT8_WEIGHTS)])
def test_a_full_disk_costs_no_model_of_the_same_weights(tmp_path, monkeypatch, card, weights):
    """Such as one that gets weights of int8, or other cutoffs."""
    write_model(tmp_path, CARD, WEIGHTS)

    def write(path, content):
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(model_files, "write_atomic", write)
    changed = dataclasses.replace(card, cutoff=12.5)
    with pytest.raises(OSError, match="no space"):
        write_model(tmp_path, changed, WEIGHTS, weights)

    assert read_model(tmp_path) == (CARD, WEIGHTS)


@pytest.mark.parametrize(("card", "weights"), [(BOTH, None), (CARD, INT8_WEIGHTS)])
def test_a_card_of_int8_does_not_stand_without_its_weights(tmp_path, card, weights):
    with pytest.raises(ValueError, match="go together"):
        write_model(tmp_path, card, WEIGHTS, weights)


@pytest.mark.parametrize("position", [0, 64, 127])
def test_one_changed_bit_of_the_weights_of_int8_is_refused(tmp_path, position):
    write_model(tmp_path, BOTH, WEIGHTS, INT8_WEIGHTS)
    changed = bytearray(INT8_WEIGHTS)
    changed[position] ^= 1
    (tmp_path / "model-int8.onnx").write_bytes(changed)

    with pytest.raises(InvalidModel, match=r"model-int8\.onnx is not the file .* SHA-256 differs"):
        read_weights(tmp_path / "model-int8.onnx", read_card(tmp_path).int8)


@pytest.mark.parametrize("position", [0, 100, 255])
def test_one_changed_bit_is_refused(tmp_path, position):
    write_model(tmp_path, CARD, WEIGHTS)
    changed = bytearray(WEIGHTS)
    changed[position] ^= 1
    (tmp_path / "model.onnx").write_bytes(changed)

    with pytest.raises(InvalidModel, match="SHA-256 differs"):
        read_model(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"cutoff": 101},
        {"review_band": [80, 20]},
        {"review_band": 3},
        {"unheard_of": 1},
        {"int8": {"cutoff": 50}},
    ],
)
def test_a_card_out_of_range_is_refused(tmp_path, change):
    write_model(tmp_path, CARD, WEIGHTS)
    fields = json.loads((tmp_path / "card.json").read_text()) | change
    (tmp_path / "card.json").write_text(json.dumps(fields))

    with pytest.raises(InvalidModel, match="not a model card"):
        read_model(tmp_path)


@pytest.mark.parametrize("missing", ["model.onnx", "card.json"])
def test_half_a_model_is_refused(tmp_path, missing):
    write_model(tmp_path, CARD, WEIGHTS)
    (tmp_path / missing).unlink()

    with pytest.raises(InvalidModel, match="does not hold a model"):
        read_model(tmp_path)
