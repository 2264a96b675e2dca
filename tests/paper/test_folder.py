"""Seconds of stages add up over the calls that a study takes."""

import json

import pytest

from cxrview.paper.folder import Times


def test_a_stage_stopped_and_gone_on_with_counts_both(tmp_path):
    path = tmp_path / "times.json"
    path.write_text('{"prepare": 100.0}')

    times = Times(path)
    with times.stage("prepare"):
        pass
    with pytest.raises(KeyboardInterrupt), times.stage("split"):
        raise KeyboardInterrupt

    kept = json.loads(path.read_text())
    assert 100 <= kept["prepare"] < 101
    assert 0 <= kept["split"] < 1
    assert list(kept) == ["prepare", "split"]


def test_a_damaged_file_begins_anew(tmp_path):
    (tmp_path / "times.json").write_text("{")

    assert Times(tmp_path / "times.json").seconds == {}
