import threading
import time

from cxrview.cli.shared.progress import Heartbeat


def beats(capsys, at_least: int, beat: Heartbeat) -> list[str]:
    """Lines so far, once there are so many; a busy machine is slow, not wrong."""
    lines: list[str] = []
    until = time.monotonic() + 60
    while len(lines) < at_least and time.monotonic() < until:
        time.sleep(0.01)
        lines += capsys.readouterr().err.splitlines()
    return lines


def test_lines_tell_count_rate_failures_and_what_remains(capsys):
    with Heartbeat("images", lambda: 4000, seconds=0.2) as beat:
        beat(900, 2)
        beat(100, 1)
        (first, *_) = beats(capsys, 1, beat)

    words = first.split(", ")
    assert words[0] == "1000 images" and words[2:4] == ["3 failed", "of 4000"]
    assert words[1].endswith("/s") and words[4].endswith("min remaining")


def test_a_run_that_hangs_still_has_a_pulse(capsys):
    with Heartbeat("images", lambda: None, seconds=0.05) as beat:
        beat(10)
        lines = beats(capsys, 3, beat)

    assert lines[-1] == "10 images, 0.0/s, 0 failed"


def test_no_line_comes_after_the_end(capsys):
    with Heartbeat("images", lambda: None, seconds=0.01):
        pass
    capsys.readouterr()

    assert not [t for t in threading.enumerate() if t.name.startswith("heartbeat")]
    time.sleep(0.1)
    assert capsys.readouterr().err == ""
