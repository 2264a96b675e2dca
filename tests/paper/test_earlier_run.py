"""An earlier run, read from its published tables and shown beside another one."""

import csv
import re
import subprocess
from dataclasses import replace

import pytest

from cxrview.assess.tables import ASSESSMENT, write_assessment
from cxrview.errors import UsageError
from cxrview.paper.choose import CANDIDATE_TABLE, COMPARISON_TABLE, Choice, write_choice
from cxrview.paper.compare import choose_cutoff
from cxrview.paper.earlier_run import read_earlier_run
from cxrview.paper.page import render_page
from cxrview.paper.scale import SCALES
from cxrview.stats import pooled_chi_squared
from fixtures.smoke_study import COMMAND, finished_study

LAPTOP = SCALES["laptop"].words


@pytest.fixture
def published(tmp_path, reproduction):
    """The tables of a run at laptop scale, as the program writes them."""
    choice = Choice(
        validated=reproduction.validated,
        compared=reproduction.compared,
        chosen=reproduction.chosen,
        cutoff=choose_cutoff(reproduction.validated[reproduction.chosen]),
        scale_words=f"{LAPTOP}; something else",
        seed=7,
    )
    write_choice(choice, tmp_path)
    write_assessment(tmp_path, [], reproduction.assessed, [], {}, [], scale=choice.scale_words)
    return tmp_path


def test_it_has_the_counts_of_the_run(published, reproduction):
    earlier = read_earlier_run(published)

    assert (earlier.scale, earlier.chosen) == ("laptop", reproduction.chosen.name)
    assert earlier.candidates == {
        one.name: (int(scores.is_right.sum()), len(scores))
        for one, scores in reproduction.validated.items()
    }
    for compared in reproduction.compared:
        found = earlier.comparisons[compared.comparison.name]
        assert (found.first, found.second) == (compared.first, compared.second)
        assert found.p == compared.chi_squared.p
    table = reproduction.headline.assessment.table
    assert earlier.tested["both"] == (table.right, table.total)
    assert sorted(earlier.tested) == ["both", "external", "inside"]


def test_a_run_of_a_scale_that_is_not_known_is_called_earlier(published):
    for name in (CANDIDATE_TABLE, COMPARISON_TABLE):
        path = published / name
        path.write_text(path.read_text().replace(LAPTOP, "some other scale"))

    earlier = read_earlier_run(published)

    assert (earlier.scale, earlier.title) == ("", "in the earlier run")
    assert earlier.heading == "Earlier run"


@pytest.mark.parametrize("name", [CANDIDATE_TABLE, COMPARISON_TABLE, ASSESSMENT])
@pytest.mark.parametrize("damage", ["missing", "empty", "column", "number", "impossible", "binary"])
def test_tables_that_are_not_of_a_run_are_refused(published, name, damage):
    path = published / name
    rows = list(csv.DictReader(path.read_text().splitlines()))
    right = next(column for column in rows[0] if column.endswith("right"))
    if damage == "missing":
        path.unlink()
    elif damage == "binary":
        path.write_bytes(b"\xff\xfe\x00")
    elif damage == "empty":
        path.write_text(path.read_text().splitlines()[0] + "\n")
    elif damage in ("number", "impossible"):
        for row in rows:
            row[right] = {"number": "many", "impossible": "1000000"}[damage]
        write(path, rows)
    else:
        write(path, [{k: v for k, v in row.items() if k != right} for row in rows])

    with pytest.raises(UsageError, match="does not have the tables of an earlier run"):
        read_earlier_run(published)


def write(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def cells(text: str, table: str) -> list[list[str]]:
    (found,) = re.findall(rf'<table id="{table}">(.*?)</table>', text, re.S)
    plain = found.replace("\N{NO-BREAK SPACE}", " ")
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", plain, re.S)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in rows]


def test_its_figures_are_in_columns_beside_those_of_the_run(published, changed, reproduction):
    earlier = read_earlier_run(published)
    one, *_ = earlier.candidates
    earlier = replace(earlier, candidates=earlier.candidates | {one: (1, 3)})

    text = render_page(changed(scale=SCALES["night"], earlier=earlier))

    candidates = cells(text, "candidates")
    assert candidates[0][-1] == "Laptop scale: own validation images"
    assert candidates[1][-1] == "1 of 3\n33.33 %"
    assert [row[-1].endswith(", chosen") for row in candidates[1:]] == [
        row[0] == earlier.chosen for row in candidates[1:]
    ]
    scales = cells(text, "scales")
    assert scales[0][2:4] == ["Laptop scale", "Here, night scale"]
    for row, shown in zip(cells(text, "comparisons")[1:], scales[1:], strict=True):
        percents = row[3].replace("\n", " ")
        p = row[5].split("\n")[1]
        assert shown[2] == shown[3] == f"{percents} %, {row[8]}\n{p}"
        assert shown[1] == f"{row[1]}\np {row[2]}".replace("\nagainst", " against", 1)
        assert shown[4] == "the same"
    tested = {row[0]: row[-1] for row in cells(text, "network")[1:] if row[-1] != "–"}
    assert tested.keys() == {"inside", "external", "both together"}
    right, total = earlier.tested["both"]
    assert tested["both together"].startswith(f"{right} of {total}")


def test_it_says_of_each_comparison_whether_its_result_is_another_one(
    published, changed, reproduction
):
    earlier = read_earlier_run(published)
    first, second, third, fourth, _ = reproduction.compared
    # In the earlier run, the first order was the reverse, and the fourth p was above 0.05.
    turned = replace(earlier.comparisons[first.comparison.name], first=(80, 100), second=(99, 100))
    unsure = replace(earlier.comparisons[fourth.comparison.name], p=0.2)
    comparisons = earlier.comparisons | {
        first.comparison.name: turned,
        fourth.comparison.name: unsure,
    }
    sure = pooled_chi_squared((990, 1000), (800, 1000))
    ahead = tuple(
        replace(one, first=(990, 1000), second=(800, 1000), chi_squared=sure)
        for one in reproduction.compared
    )
    del comparisons[third.comparison.name]
    comparisons[second.comparison.name] = replace(
        comparisons[second.comparison.name], first=(99, 100), second=(80, 100), p=0.001
    )

    rows = cells(
        render_page(changed(compared=ahead, earlier=replace(earlier, comparisons=comparisons))),
        "scales",
    )[1:]

    named = {row[0].replace("\n", " "): row for row in rows}
    assert third.comparison.name not in named
    assert named[first.comparison.name][2].startswith("80.00 against 99.00 %, reversed")
    assert named[fourth.comparison.name][2].endswith("as in the paper\np = 0.20")
    assert {row[3] for row in rows} == {"99.00 against 80.00 %, as in the paper\np &lt; 0.001"}
    assert [named[one.comparison.name][4] for one in (first, second, fourth)] == [
        *("changed", "the same", "changed")
    ]


def test_a_reversed_order_has_its_reasons(changed, reproduction):
    first, second, third, *rest = reproduction.compared
    turned = [replace(one, first=(80, 100), second=(90, 100)) for one in (first, third)]

    text = " ".join(render_page(changed(compared=(turned[0], second, turned[1], *rest))).split())
    text = text.replace("\N{NO-BREAK SPACE}", " ")

    pools = [
        [s for c, s in reproduction.validated.items() if (c.pre_training != "colour") is grey]
        for grey in (True, False)
    ]
    for method in ("fc-original", "fc-augmented", "all-augmented"):
        shares = []
        for pool in pools:
            right = [s.is_right for s in pool if s.classifier.endswith(f"/{method}")]
            shares.append(100 * sum(map(sum, right)) / sum(map(len, right)))
        assert f"{method} {shares[0]:.2f} against {shares[1]:.2f} %" in text
    assert (
        "each candidate of the first on 360, of the second on 120, as in the paper. fc-original "
        "is counted on the originals only" in text
    )


def test_without_an_earlier_run_there_is_no_word_of_one(reproduction):
    text = render_page(reproduction)

    assert 'id="scales"' not in text
    assert "Laptop scale" not in text


def test_top_1_is_shown_before_and_after_each_grey_pre_training(reproduction):
    rows = cells(render_page(reproduction), "pre-training")

    assert rows[1] == ["grey", "400", "100 of 400\n25.00 %", "150 of 400\n37.50 %", "+12.50"]
    assert rows[2][-1] == "−5.00"


@pytest.mark.slow
def test_a_finished_study_may_be_shown_beside_what_it_published(shared_folder, tmp_path):
    whole = finished_study(shared_folder)
    public = whole.parent / "public"
    study = tmp_path / "study"
    subprocess.run(["cp", "-r", str(whole), str(study)], check=True)

    done = subprocess.run(
        [*COMMAND, "--out", str(study), "--beside", str(public)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    page = (study / "reproduction.html").read_text()
    assert [row[4] for row in cells(page, "scales")[1:]] == ["the same"] * 5
    assert "The comparisons at smoke scale and here" in page
    rows = list(csv.DictReader((public / "pre-training.csv").read_text().splitlines()))
    assert [row["pre_training"] for row in rows] == ["grey", "grey-subset"]
    assert all(0 <= int(row["right_after"]) <= int(row["pictures"]) for row in rows)


def test_a_folder_without_tables_is_refused_before_any_work(tmp_path):
    done = subprocess.run(
        [*COMMAND, "--out", str(tmp_path / "study"), "--beside", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "does not have the tables of an earlier run" in done.stderr
    assert not (tmp_path / "study").exists()
