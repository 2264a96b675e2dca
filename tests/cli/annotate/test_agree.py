"""`cxrview annotate agree`: kappa, against scikit-learn, and its interval."""

import json
import re

import pytest

from cxrview.stats import exact_interval


def test_agreement_is_scikit_learns_kappa(room):
    metrics = pytest.importorskip("sklearn.metrics")
    room.create_read()

    found = json.loads(room.run("annotate agree study.db --json").output)

    rows = room.read_csv("readings.csv")
    anna, ben = (
        [row["label"] or "excluded" for row in rows if row["reader"] == name]
        for name in ("anna", "ben")
    )
    (pair,) = found["between"]
    assert (pair["first"], pair["second"]) == ("anna", "ben")
    assert pair["kappa"] == pytest.approx(metrics.cohen_kappa_score(anna, ben))
    assert "39 of 40 images alike" in room.run("annotate agree study.db").output


def test_agreement_prints_an_interval_within_its_bounds(room):
    room.create()
    rows = [
        (room.file(k), reader, "lateral" if (k, reader) == (5, "ben") else room.view(k), "")
        for k in range(16)
        for reader in ("anna", "ben")
    ]
    rows[11] = (room.file(5), "ben", "frontal", "")
    room.write_csv("few.csv", ("file", "reader", "label", "reason"), rows)
    room.run("annotate import study.db few.csv")

    said = room.run("annotate agree study.db").output

    kappa, low, high = map(float, re.search(r"kappa (\S+) \((\S+) to (\S+)\)", said).groups())
    assert kappa == 0.875
    # Half of all is chance: by that share alone, kappa has twice Clopper's interval less 1.
    share = exact_interval(15, 16)
    assert (low, high) == pytest.approx((2 * share.low - 1, 2 * share.high - 1), abs=0.02)
