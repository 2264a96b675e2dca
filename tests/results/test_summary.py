"""The counts of a run, in memory and in the summary file."""

import json

import pytest

from cxrview.cli.classify_report import counts
from cxrview.records.classification import Failure, Instance, Prediction
from cxrview.results.files import Outputs
from cxrview.results.journal import Journal
from cxrview.results.summary import count_outcomes, read_summary, write_result
from cxrview.terms import Decision, Projection, View


def image(path: str, **facts) -> Prediction:
    known = {"decision": Decision.CLASSIFIED, "view": View.FRONTAL, "pfi": 99.0} | facts
    return Prediction(instance=Instance(path=path, content_id=""), **known)


def summary_of(outcomes):
    journal = Journal(None, {})
    list(journal.unfinished([getattr(one, "instance", one).path for one in outcomes]))
    journal.record(outcomes)
    return journal, count_outcomes(journal, read_now=len(outcomes), seconds=1, is_complete=True)


@pytest.fixture
def posed():
    turned = {"rotation": 90, "rotation_probability": 99.0}
    return summary_of(
        [
            image("upright", rotation=0, mirrored=False, inverted=False, projection=Projection.PA),
            image("turned", **turned, projection=Projection.PA),
            image("twice", rotation=270, mirrored=True),
            image("unsure", rotation=None, rotation_probability=40.0),
            Failure(path="broken", code="truncated", reason="it ends early", advice=""),
        ]
    )


def test_count_outcomes_counts_what_the_model_says_besides_the_view(posed):
    _, summary = posed

    assert summary.answers == {"turned": 2, "mirrored": 1, "PA": 2}
    assert "by the model: 2 turned, 1 mirrored, 2 PA" in counts(summary)


def test_count_outcomes_of_a_model_without_such_answers_is_silent_about_them():
    _, summary = summary_of([image("plain")])

    assert summary.answers == {}
    assert not any(line.startswith("by the model") for line in counts(summary))


def test_read_summary_reads_what_write_result_wrote_and_older_files(posed, tmp_path):
    journal, summary = posed
    out = Outputs(table=tmp_path / "views.parquet")

    write_result(out, journal, summary, {})

    assert read_summary(out.summary).answers == summary.answers
    facts = json.loads(out.summary.read_text())
    assert facts["answers"] == {"turned": 2, "mirrored": 1, "PA": 2}
    del facts["answers"]
    out.summary.write_text(json.dumps(facts))
    assert read_summary(out.summary).answers == {}


def test_count_outcomes_counts_rows_of_before_these_columns():
    journal = Journal(None, {})
    row = {"path": "old.dcm", "decision": "classified", "view": "lateral", "warnings": ""}
    row |= {"sop_instance_uid": None, "content_id": None, "agreement": None}
    journal.adopt_rows([(b"/old.dcm", row)])

    summary = count_outcomes(journal, read_now=0, seconds=1, is_complete=True)

    assert (summary.lateral, summary.answers) == (1, {})
