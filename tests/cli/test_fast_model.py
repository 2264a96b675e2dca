import os
import signal

import pytest
from typer.testing import CliRunner

pytest.importorskip("torch", reason="needs torch: pip install '.[train]'")

from cxrview.classify.devices import is_exact_at_int8
from cxrview.cli.fast_model import stop_by_signal
from cxrview.cli.main import app
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

    assert "18 pictures, 3 of held-out patients" in prepared
    assert all(word in assessed for word in ("one frontal", "turned-90-inverted", "never trained"))
    assert (tmp_path / "training" / "model" / "card.json").is_file()
