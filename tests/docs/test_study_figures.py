"""The figures that the documentation states of the paper's study, against its runs' tables."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STUDY = ROOT / "docs" / "reproduction"
TABLES = sorted({*STUDY.rglob("*.csv")} - {*STUDY.rglob("subset.csv")})
COUNTS = (
    ("right", "images"),
    ("right", "total"),
    ("progenitors_right", "progenitors_images"),
    ("first_right", "first_images"),
    ("second_right", "second_images"),
    ("right_before", "pictures"),
    ("right_after", "pictures"),
)
PAPER_COUNTS = {(1377, 1377)}
PAPER_PERCENT = {"99.73", "99.67", "99.78"}
"""Paper, sections 5 and 6."""
COUNT = re.compile(r"(?<![\d.])(\d[\d,]*) of (?:the )?(\d[\d,]*)(?![\d.]*\d)")
TWO_DECIMALS = re.compile(r"(?<!p )(?<!p < )(?<!below )(?<![\d.])(\d+\.\d\d)(?!\d)")
"""Shares have two decimals on these pages; other figures than p-values have not."""


def rows() -> Iterator[dict[str, str]]:
    for table in TABLES:
        with table.open(newline="", encoding="utf-8") as lines:
            yield from csv.DictReader(lines)


def counted() -> set[tuple[int, int]]:
    found = set(PAPER_COUNTS)
    for row in rows():
        for right, total in COUNTS:
            if all(row.get(name, "").isdigit() for name in (right, total)):
                found.add((int(row[right]), int(row[total])))
    return found


def shares() -> set[str]:
    """Every share and interval of the tables in percent, to two places."""
    found = PAPER_PERCENT | {f"{100 * right / total:.2f}" for right, total in counted()}
    for row in rows():
        for name, value in row.items():
            if not value or name == "scale":
                continue
            if "percent" in name and re.fullmatch(r"[\d.]+", value):
                found.add(f"{float(value):.2f}")
            elif name.startswith("accuracy_"):
                found.add(f"{100 * float(value):.2f}")
    return found


def section(page: Path, title: str) -> str:
    text = page.read_text(encoding="utf-8")
    if not title:
        return text
    return re.split(r"^## ", text.partition(f"\n## {title}\n")[2], maxsplit=1, flags=re.M)[0]


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("docs/reproduction/README.md", ""),
        ("docs/background/evidence.md", "The paper's study"),
    ],
)
def test_every_count_and_share_that_a_page_states_is_in_a_table(page, title):
    text = section(ROOT / page, title)
    known_counts, known_shares = counted(), shares()

    stated = {tuple(int(n.replace(",", "")) for n in pair) for pair in COUNT.findall(text)}
    percent = set(TWO_DECIMALS.findall(text))

    assert len(stated) > 1
    assert stated - known_counts == set()
    assert percent - known_shares == set()
