"""What the targets have found, made by code: each was another exception than the documented one."""

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from cxrview.classify.chest_rule import load_chest_rule
from cxrview.classify.model import load_model
from cxrview.classify.model_files import CARD_NAME, read_model, write_model
from cxrview.errors import InvalidModel, UsageError
from cxrview.json_file import read_json
from cxrview.records.classification import Failure
from cxrview.results.journal import Journal
from cxrview.service.configuration import read_configuration
from cxrview.writeback.journal import WritebackJournal
from fixtures.posed_model import write_posed_model

DEEP = "[" * 100_000
CONDITIONS = {"model": "drawn-1"}
PATHS = [f"/archive/{number}" for number in range(200)]


@pytest.mark.parametrize("read", [read_configuration, load_chest_rule])
def test_toml_that_is_nested_too_deep_is_a_usage_error(tmp_path, read):
    path = tmp_path / "file.toml"
    path.write_text(f"deep = {DEEP}")

    with pytest.raises(UsageError):
        read(path)


def test_json_that_is_nested_too_deep_is_no_object(tmp_path):
    path = tmp_path / "about.json"
    path.write_text(DEEP)

    with pytest.raises(ValueError):
        read_json(path)


def test_card_that_is_nested_too_deep_is_no_card(tmp_path):
    write_posed_model(tmp_path)
    (tmp_path / CARD_NAME).write_text(DEEP)

    with pytest.raises(InvalidModel):
        load_model(tmp_path)


def test_model_with_two_inputs_is_invalid(tmp_path):
    onnx = pytest.importorskip("onnx", reason="needs the extra train: pip install '.[train]'")
    write_posed_model(tmp_path)
    card, weights = read_model(tmp_path)
    made = onnx.load_from_string(weights)
    made.graph.input.append(
        onnx.helper.make_tensor_value_info("other", onnx.TensorProto.FLOAT, ["n"])
    )
    changed = made.SerializeToString()
    digest = hashlib.sha256(changed).hexdigest()
    write_model(tmp_path, replace(card, weights_sha256=digest), changed)

    with pytest.raises(InvalidModel):
        load_model(tmp_path, device="cpu", precision="fp32")


def test_writeback_journal_that_is_nested_too_deep_is_none(tmp_path):
    path = tmp_path / "journal"
    path.write_text(DEEP + "\n")

    with pytest.raises(UsageError):
        WritebackJournal.resume(path)


def journal_file(path: Path) -> None:
    """A journal of a run that was interrupted."""
    journal = Journal(path, CONDITIONS)
    list(journal.unfinished(PATHS))
    journal.record(
        Failure(path=one, code="truncated", reason="it ends early", advice="") for one in PATHS
    )
    journal.close()


def with_bytes(old: bytes, new: bytes) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        data = path.read_bytes()
        assert old in data
        path.write_bytes(data.replace(old, new, 1))

    return change


def with_damaged_page(path: Path) -> None:
    data = path.read_bytes()
    middle = len(data) // 2 // 4096 * 4096
    path.write_bytes(data[:middle] + b"\xff" * 4096 + data[middle + 4096 :])


def without_column(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("ALTER TABLE outcome DROP COLUMN row")
        db.commit()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(with_damaged_page, id="a page"),
        pytest.param(without_column, id="a column"),
        pytest.param(with_bytes(b"truncated", b"\xffruncated"), id="a code that is not UTF-8"),
        pytest.param(with_bytes(b'"reason": "it', b'"reason": it"'), id="a row that is not JSON"),
        pytest.param(with_bytes(b'"code": ', b'"c\xffde": '), id="a row that is not UTF-8"),
        pytest.param(with_bytes(b'"code": ', b'"done": '), id="a row without its code"),
    ],
)
def test_journal_that_is_damaged_is_refused_before_the_run(tmp_path, damage):
    """Not at its end, when the rows are read."""
    path = tmp_path / "journal"
    journal_file(path)
    damage(path)

    with pytest.raises(UsageError) as caught:
        Journal(path, CONDITIONS)

    assert "--overwrite" in caught.value.advice


def test_damaged_index_of_a_journal_costs_nothing(tmp_path):
    """It is made again from the rows, which are sound."""
    path = tmp_path / "journal"
    journal_file(path)
    with closing(sqlite3.connect(path)) as db:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'by_content'"
        (page,) = db.execute(query).fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    data = bytearray(path.read_bytes())
    begin = data.index(b"/archive/1", (page - 1) * size)
    assert begin < page * size
    data[begin : begin + 10] = b"/archive/x"
    path.write_bytes(data)

    journal = Journal(path, CONDITIONS)

    assert list(journal.unfinished([*PATHS, "/archive/new"])) == ["/archive/new"]
    assert sum(1 for _ in journal.failures()) == len(PATHS)
    journal.close()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_journal_that_is_damaged_can_be_overwritten(tmp_path):
    path = tmp_path / "journal"
    journal_file(path)
    with_damaged_page(path)

    journal = Journal(path, CONDITIONS, overwrite=True)

    assert len(journal) == 0
    journal.close()
