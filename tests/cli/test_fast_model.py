import json
import os
import signal

import pytest
from typer.testing import CliRunner

pytest.importorskip("torch", reason="needs torch: pip install '.[train]'")

from cxrview.classify.devices import is_exact_at_int8
from cxrview.classify.model import load_model, model_folder
from cxrview.classify.model_files import read_card
from cxrview.cli.fast_model import stop_by_signal
from cxrview.cli.main import app
from cxrview.records.risk_curve import Head
from fixtures.fast_pictures import write_labels, write_photographs


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_by_signal_reports_a_signal_and_gives_it_back(number):
    before = signal.getsignal(number)

    with stop_by_signal() as is_stopped:
        was_stopped = is_stopped()
        os.kill(os.getpid(), number)

        assert (was_stopped, is_stopped()) == (False, True)

    assert signal.getsignal(number) is before


@pytest.mark.slow
@pytest.mark.vnni
@pytest.mark.skipif(not is_exact_at_int8(), reason="this processor computes int8 wrongly")
def test_fast_model_prepares_trains_and_assesses(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_labels(tmp_path)
    write_photographs(tmp_path)

    def run(line: str) -> str:
        done = CliRunner().invoke(app, ["fast-model", *line.split()])
        assert done.exit_code == 0, (done.output, done.exception)
        return done.stdout

    prepared = run("prepare labels.csv --photographs photographs.tar --out pictures")
    run("train pictures --out training --steps 1 --workers 0 --threads 1")
    assessed = run("assess training pictures")

    assert "21 pictures, 15 of training patients" in prepared
    assert all(word in assessed for word in ("one frontal", "turned-90-inverted", "never trained"))
    assert (tmp_path / "training" / "model" / "card.json").is_file()
    run("train pictures --out left-out --without three --steps 1 --workers 0 --threads 1")
    run("assess left-out pictures")

    run("release training pictures --left-out left-out --out page")

    page = (tmp_path / "page" / "FAST_MODEL_CARD.md").read_text()
    counts = json.loads((tmp_path / "page" / "fast-model-counts.json").read_text())
    card = load_model(tmp_path / "training" / "model", precision="fp32").card
    assert f"# Model card: {card.model_id}" in page and "| three frontal | 1 |" in page
    # Three test patients: a frontal and a lateral of source one, and a picture without a chest.
    assert sum(row["pictures"] for row in counts["upright"]) == 3 * 2
    assert sum(row["pictures"] for row in counts["poses"]) == 3 * 2 * 16
    second = read_card(model_folder("googlenet"))
    (tmp_path / "page" / "card.json").write_bytes(
        (tmp_path / "page" / "googlenet-card.json").read_bytes()
    )
    counted = read_card(tmp_path / "page")
    assert (counted.model_id, counted.about) == (second.model_id, second.about)
    assert "| fast, int8 |" in page and "| googlenet, fp32 |" in page
    with_second = read_card(tmp_path / "training" / "model")
    assert with_second.second_model_id == second.model_id
    for one in (with_second, counted, counted.int8):
        # Two validation radiographs, and a left-out one of a source new to GoogLeNet.
        assert one.risk_curves[Head.VIEW].decided[-1] <= 3
    # So few patients can show no promise: nothing is answered.
    assert set(card.thresholds.values()) == {100.0}
    assert all(row["decided"] == 0 for row in counts["answers"])
