"""The page of an audit: complete, bounded, without outside resources."""

import html
import re
import shlex
import time
from html.parser import HTMLParser

import pytest

pytest.importorskip("jinja2", reason="needs jinja2: pip install '.[audit]'")


from cxrview.audit.audit_table import PageSettings
from cxrview.audit.header_counts import AgreementCount
from cxrview.audit.page import check_page_name, write_audit
from cxrview.audit.pose_counts import POSE_COLUMNS
from cxrview.claims.claimed_rows import ClaimSource
from cxrview.claims.collections import ClaimColumns, claim_columns
from cxrview.errors import UsageError
from cxrview.results.columns import COLUMNS, MERGED_COLUMNS
from cxrview.results.tables import has_column, write_failures, write_partitioned, write_table
from cxrview.sources.patient_source import PatientSource


class Resources(HTMLParser):
    """Everything that a page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.linked: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag, attrs):
        self.scripts += tag == "script"
        if tag == "a":
            self.linked += [value for key, value in attrs if key == "href"]
        else:
            self.loaded += [v for k, v in attrs if k in ("src", "href", "srcset", "data") and v]


def views(folder, rows):
    table = folder / "views.parquet"
    write_table(table, iter([dict.fromkeys(COLUMNS) | row for row in rows]))
    return table


def a_row(path, **facts):
    row = {"path": path, "decision": "classified", "view": "lateral", "pfi": 0.2, "chest": 99.0}
    claim = {"header_view": "frontal", "header_view_position": "PA", "agreement": "disagrees"}
    return row | claim | facts


def test_write_audit_shows_disagreements_and_failures(tmp_path, film):
    table = views(tmp_path, [a_row(film), a_row(str(tmp_path / "missing.dcm"))])
    failure = {"path": "x", "code": "truncated", "reason": "r", "advice": "a"}
    write_failures(tmp_path / "views.failures.csv", [failure])

    done = write_audit(table, tmp_path / "audit.html")

    page = (tmp_path / "audit.html").read_text()
    assert done.counts.agreement.disagrees == 2
    assert done.failures == {"truncated": 1}
    assert "header says PA, image shows lateral; PFI 0.20\u00a0%" in page
    assert page.count("data:image/jpeg;base64,") == 1  # the other file is missing
    assert "takes <strong>2</strong> wrong ones" in " ".join(page.split())


def test_write_audit_counts_a_filter_by_the_view_code_before_view_position(tmp_path, film):
    """It is the view of the header, which the page names, not View Position."""
    facts = {"header_view": "lateral", "header_view_code": "399067008^SCT", "agreement": "agrees"}

    done = write_audit(views(tmp_path, [a_row(film, **facts)]), tmp_path / "audit.html")

    _, lateral = done.counts.losses()
    assert (lateral.kept, lateral.lost) == (1, 0)
    page = (tmp_path / "audit.html").read_text()
    assert "What filtering by the header as it stands loses" in page
    words = " ".join(page.split())
    assert (
        "By View Position alone, without View Code Sequence, it loses <strong>1</strong>" in words
    )


def test_write_audit_makes_a_page_that_loads_nothing(tmp_path, film):
    write_audit(views(tmp_path, [a_row(film)]), tmp_path / "audit.html")

    found = Resources()
    found.feed((tmp_path / "audit.html").read_text())

    assert found.scripts == 0
    assert all(one.startswith("data:") for one in found.loaded)
    assert {one for one in found.linked if not one.startswith("#")} == {"views.parquet"}
    assert "@import" not in (tmp_path / "audit.html").read_text()


def test_write_audit_escapes_what_files_say(tmp_path):
    table = views(tmp_path, [a_row("<script>alert(1)</script>", manufacturer="<img src=x>")])

    write_audit(table, tmp_path / "audit.html")

    page = (tmp_path / "audit.html").read_text()
    assert "<script>" not in page and "<img src=x>" not in page


def test_write_audit_without_pictures_reads_no_image(tmp_path, film):
    table = views(tmp_path, [a_row(film)])

    write_audit(table, tmp_path / "audit.html", PageSettings(pictures=0))

    assert "data:image" not in (tmp_path / "audit.html").read_text()


@pytest.mark.slow
def test_a_page_of_a_hundred_thousand_rows_is_bounded(tmp_path):
    rows = (a_row(f"/nowhere/{n}", manufacturer=f"maker {n % 3000}") for n in range(100_000))
    table = tmp_path / "views.parquet"
    write_table(table, (dict.fromkeys(COLUMNS) | row for row in rows))
    began = time.monotonic()

    write_audit(table, tmp_path / "audit.html", PageSettings(pictures=20))

    assert (tmp_path / "audit.html").stat().st_size < 200_000
    assert time.monotonic() - began < 120


def test_write_audit_prints_paths_only_where_asked(tmp_path, film):
    table = views(tmp_path, [a_row(film), a_row(str(tmp_path / "Doe^Jane" / "missing.dcm"))])

    write_audit(table, tmp_path / "audit.html")
    write_audit(table, tmp_path / "paths.html", PageSettings(shows_paths=True))

    assert "Doe^Jane" not in (tmp_path / "audit.html").read_text()
    assert "Doe^Jane" in (tmp_path / "paths.html").read_text()


def test_write_audit_says_that_the_archive_was_moved(tmp_path):
    done = write_audit(views(tmp_path, [a_row("/nowhere/1.dcm")]), tmp_path / "audit.html")

    assert done.unread == 1
    assert "--root" in (tmp_path / "audit.html").read_text()


def test_write_audit_links_the_result_from_another_folder(tmp_path, film):
    (tmp_path / "my pages").mkdir()

    write_audit(views(tmp_path, [a_row(film)]), tmp_path / "my pages" / "audit.html")

    assert 'href="../views.parquet"' in (tmp_path / "my pages" / "audit.html").read_text()


@pytest.mark.parametrize("name", ["views.parquet", "views.csv", "views.jsonl", "parts/"])
def test_write_audit_reads_every_form_of_a_result(tmp_path, film, name):
    rows = [dict.fromkeys(COLUMNS) | a_row(film, study_year=2001)] * 3
    if name == "parts/":
        write_partitioned(tmp_path / name, iter(rows))
    else:
        write_table(tmp_path / name, iter(rows))

    done = write_audit(tmp_path / name, tmp_path / "audit.html")

    assert done.counts.agreement.disagrees == 3
    assert done.counts.by_column["study_year"]["2001"].total == 3


def test_write_audit_reports_an_empty_result(tmp_path):
    done = write_audit(views(tmp_path, []), tmp_path / "audit.html")

    assert done.counts.rows == 0
    assert "no rows" in (tmp_path / "audit.html").read_text()


def test_write_audit_refuses_a_table_that_is_not_a_result(tmp_path):
    (tmp_path / "other.csv").write_text("path,label\na.png,PA\n")

    with pytest.raises(UsageError, match="decision"):
        write_audit(tmp_path / "other.csv", tmp_path / "audit.html")

    assert not (tmp_path / "audit.html").exists()


@pytest.mark.parametrize("name", ["audit.pdf", "exists.html", "folder.html", "exists.html/a.html"])
def test_check_page_name_refuses_what_cannot_be_a_page(tmp_path, name):
    (tmp_path / "exists.html").touch()
    (tmp_path / "folder.html").mkdir()

    with pytest.raises(UsageError):
        check_page_name(tmp_path / name, overwrite=name == "folder.html")


def test_check_page_name_takes_a_folder_that_is_to_be_created(tmp_path):
    check_page_name(tmp_path / "new" / "folder" / "audit.html", overwrite=False)


def test_write_audit_says_what_to_do_about_failures(tmp_path, film):
    table = views(
        tmp_path,
        [
            a_row(film),
            a_row("ct", decision="skipped", view=None, pfi=None, warnings="skipped_by_modality"),
        ],
    )
    failure = {"path": "x", "code": "corrupt_pixels", "reason": "r", "advice": "Export it again"}
    write_failures(
        tmp_path / "views.failures.csv", [failure, failure | {"advice": "Other"}, failure]
    )

    done = write_audit(table, tmp_path / "audit.html")

    page = (tmp_path / "audit.html").read_text()
    assert done.advice == {"corrupt_pixels": "Export it again"}
    assert "Export it again" in page
    assert done.counts.skipped == {"modality": 1}


def test_write_audit_of_files_without_headers_names_the_way_to_a_table(tmp_path, film):
    silent = {"header_view": None, "header_view_position": None, "agreement": "silent"}

    done = write_audit(views(tmp_path, [a_row(film, **silent)]), tmp_path / "audit.html")

    assert done.is_silent
    assert "--claims" in (tmp_path / "audit.html").read_text()


@pytest.mark.parametrize("name", ["merged.parquet", "merged.csv", "parts/"])
def test_write_audit_counts_readers_labels_of_a_merged_result(tmp_path, film, name):
    rows = [
        a_row(film, view_origin="model", model_id="m"),
        a_row(film, decision="labelled", view_origin="agreed", agreement="agrees", view="frontal"),
        a_row(film, decision="excluded", view_origin="adjudicated", agreement=None, view=None),
    ]
    write = write_partitioned if name == "parts/" else write_table
    merged = [dict.fromkeys(MERGED_COLUMNS) | row for row in rows]
    write(tmp_path / name, iter(merged), MERGED_COLUMNS)

    done = write_audit(tmp_path / name, tmp_path / "audit.html")

    assert done.counts.agreement == AgreementCount(agrees=1, disagrees=1)
    assert done.counts.models == {"m": 1, "readers": 1}
    assert done.counts.decisions == {"classified": 1, "labelled": 1, "excluded": 1}


POSE = {"rotation": 90, "rotation_probability": 97.0, "inverted": True} | {
    "inverted_probability": 99.5
}


def test_write_audit_shows_the_orientation_of_images(tmp_path, film):
    frontal = {"view": "frontal", "mirrored_probability": 60.0, "projection": "AP"}
    rows = [
        a_row(film, **POSE),
        a_row("/missing.dcm", **POSE, **frontal, projection_ap=99.0),
        a_row(film, rotation=0, rotation_probability=99.0, inverted=False),
    ]

    done = write_audit(views(tmp_path, rows), tmp_path / "audit.html")

    page = " ".join((tmp_path / "audit.html").read_text().split())
    assert (done.poses.rotations[90], done.poses.inverted[True]) == (2, 2)
    assert done.poses.projection_agreement().disagrees == 1
    assert '<h2 id="pose">Orientation</h2>' in page
    assert "Turned by 90° clockwise: 2 images" in page
    assert "turned by 90° clockwise; 97.00 %" in page
    assert "mirrored: 60.00 %" in page
    assert done.unread == 1  # the missing file is in several sections, and read once


@pytest.mark.parametrize("name", ["views.parquet", "views.csv", "views.jsonl"])
def test_write_audit_reads_a_result_of_before_the_pose_columns(tmp_path, film, name):
    """Such a table lacks the columns; nothing is shown of them."""
    old = {key: kind for key, kind in COLUMNS.items() if key not in (*POSE_COLUMNS, "orientation")}
    write_table(tmp_path / name, iter([dict.fromkeys(old) | a_row(film)]), old)
    assert not has_column(tmp_path / name, "rotation")

    done = write_audit(tmp_path / name, tmp_path / "audit.html")

    assert done.poses.images == 0
    assert "How the" not in (tmp_path / "audit.html").read_text()


class TestClaims:
    """A metadata table in place of the headers."""

    @pytest.fixture
    def audited(self, tmp_path, film):
        rows = [
            a_row(film, view="lateral"),
            a_row("/d/b.png", view="frontal", pfi=99.0),
            a_row("/d/c.png", view="frontal", pfi=99.0),
            a_row("/d/d.png", view="frontal", pfi=99.0),
        ]
        (tmp_path / "table.csv").write_text(
            "file,who,View Position\nfilm.png,P1,PA\nb.png,P1,AP\nc,P2,\ngone.png,P3,PA\n"
        )
        columns = ClaimColumns(key="file", view="ViewPosition", patient=PatientSource(column="who"))
        source = ClaimSource(table=tmp_path / "table.csv", columns=columns)
        settings = PageSettings(claims=source, shows_paths=True)
        done = write_audit(views(tmp_path, rows), tmp_path / "audit.html", settings)
        return done, (tmp_path / "audit.html").read_text()

    def test_counts_compare_images_with_the_table(self, audited):
        done, _ = audited

        assert done.counts.agreement == AgreementCount(agrees=1, disagrees=1, silent=2)
        frontal, lateral = done.counts.losses()
        assert (frontal.kept, frontal.lost, frontal.wrong) == (1, 2, 1)
        assert (lateral.kept, lateral.lost, lateral.wrong) == (0, 1, 0)
        assert set(done.counts.by_column["header_view_position"]) == {"PA", "AP", ""}

    def test_patients_are_counted(self, audited):
        done, _ = audited

        assert (done.patients.wrong, done.patients.missing) == (1, 1)

    def test_the_page_speaks_of_the_table(self, audited):
        _, page = audited

        assert "table says PA, image shows lateral" in page
        assert "View Position as it stands" in page
        assert "gone.png" in page

    def test_keys_are_printed_only_where_asked(self, audited, tmp_path):
        source = ClaimSource(
            table=tmp_path / "table.csv", columns=ClaimColumns(key="file", view="ViewPosition")
        )
        write_audit(
            tmp_path / "views.parquet", tmp_path / "other.html", PageSettings(claims=source)
        )

        assert "gone.png" not in (tmp_path / "other.html").read_text()

    def test_keys_without_an_image_are_listed(self, audited, tmp_path):
        done, page = audited

        assert done.key_problems == {"no_image": 1}
        listed = (tmp_path / "audit.unused-keys.csv").read_text().splitlines()
        assert listed == ["problem,key,claim", "no_image,gone.png,PA"]
        assert 'href="audit.unused-keys.csv"' in page


def test_the_page_names_commands_that_exist(tmp_path, film):
    """As a user copies them, with a table whose name has a space."""
    import typer

    from cxrview.cli.main import app

    table = views(tmp_path, [a_row(film)]).rename(tmp_path / "my views.parquet")
    (tmp_path / "table.csv").write_text("file,the view\nfilm.png,PA\n")
    source = ClaimSource(
        table=tmp_path / "table.csv", columns=ClaimColumns(key="file", view="the view")
    )
    pages = [PageSettings(), PageSettings(claims=source)]
    said = []
    for settings in pages:
        write_audit(table, tmp_path / "audit.html", settings)
        text = html.unescape((tmp_path / "audit.html").read_text())
        said += re.findall(r"<code>cxrview (.*?)</code>", text)

    assert len(said) == 6
    for line in said:
        command = typer.main.get_command(app)
        words = shlex.split(line)
        while hasattr(command, "commands"):
            command = command.commands[words.pop(0)]
        command.make_context("cxrview", [*words])
        assert "my views.parquet" in words


@pytest.mark.parametrize(("name", "word"), [("chexpert", "Lateral"), ("", "lateral")])
def test_the_page_names_the_collection_whose_table_is_corrected(tmp_path, monkeypatch, name, word):
    """The folder of the collection has another name here, and its words are not ours."""
    from typer.testing import CliRunner

    from cxrview.cli.main import app

    monkeypatch.chdir(tmp_path)
    table = views(tmp_path, [a_row("/data/chexpert/train/patient1/view1.jpg")])
    folder = "CheXpert-v1.0-small/" if name else ""
    text = f"Path,Frontal/Lateral\n{folder}train/patient1/view1.jpg,Frontal\n"
    (tmp_path / "train.csv").write_text(text)
    columns = claim_columns(name, "" if name else "path", "" if name else "frontal/lateral")
    source = ClaimSource(table=tmp_path / "train.csv", columns=columns)
    write_audit(table, tmp_path / "audit.html", PageSettings(claims=source))
    page = html.unescape((tmp_path / "audit.html").read_text())
    commands = re.findall(r"<code>cxrview (writeback .*?)</code>", page)

    done = CliRunner().invoke(app, shlex.split(commands[0]), catch_exceptions=False)

    assert done.exit_code == 0, done.output
    assert f",Frontal,{word},corrected," in (tmp_path / "corrected.csv").read_text()
