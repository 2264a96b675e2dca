from cxrview.records import Instance, Prediction
from cxrview.store.journal import Journal
from cxrview.terms import Decision


def test_files_without_a_digest_are_no_copies_of_each_other():
    """Of distant files that were read in part nobody knows whether they are."""
    journal = Journal(None, {})
    paths = [f"s3://films/{k}.dcm" for k in range(3)]
    list(journal.still_to_do(paths))

    journal.record(
        Prediction(
            instance=Instance(path=path, content_id=""),
            pfi=None,
            decision=Decision.SKIPPED,
            view=None,
            model_id="m",
        )
        for path in paths
    )

    assert [(row["content_id"], row["warnings"]) for row in journal.rows()] == [(None, None)] * 3
