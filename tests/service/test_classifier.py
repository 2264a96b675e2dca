import time
from concurrent.futures import Future

import pytest

from cxrview.errors import InferenceError
from cxrview.records.classification import Failure, Instance, Prediction
from cxrview.service import classifier
from cxrview.service.classifier import Classifier, result_of
from cxrview.service.configuration import Rule
from cxrview.service.records import Form, ImageState, QueuedImage
from cxrview.service.store import Store
from cxrview.terms import Agreement, Decision, View

RULES = (
    Rule(name="wrong", destinations=("pacs",), agreement=(Agreement.DISAGREES,)),
    Rule(name="rest", destinations=("pacs",), send=(Form.ORIGINAL,)),
)


def prediction(path: str, decision=Decision.CLASSIFIED, agreement=Agreement.DISAGREES):
    is_classified = decision is Decision.CLASSIFIED
    return Prediction(
        instance=Instance(path=path, content_id="1", modality="DX"),
        decision=decision,
        view=View.FRONTAL if is_classified else None,
        pfi=99.0,
        agreement=agreement if is_classified else None,
    )


class Engine:
    """Answers at once, first with the given errors and failures."""

    def __init__(self, *first: Exception | Failure) -> None:
        self.first = list(first)

    def submit(self, path: str):
        future = Future()
        given = self.first.pop() if self.first else prediction(path)
        if isinstance(given, Exception):
            future.set_exception(given)
        else:
            future.set_result(given)
        return future


@pytest.mark.parametrize(
    ("decision", "state", "rule"),
    [
        (Decision.CLASSIFIED, ImageState.CLASSIFIED, "wrong"),
        (Decision.REVIEW, ImageState.REVIEW, "rest"),
        (Decision.NOT_CHEST, ImageState.REFUSED, "rest"),
        (Decision.SKIPPED, ImageState.REFUSED, "rest"),
    ],
)
def test_result_of_a_prediction(tmp_path, decision, state, rule):
    image = QueuedImage(id=1, path=tmp_path, entrance="dicom", sender="CR1", modality="")

    result = result_of(prediction("x", decision), image, RULES)

    assert (result.state, result.rule) == (state, rule)
    assert "path" not in result.row
    assert result.row["modality"] == "DX"


def test_result_of_a_failure_has_its_code(tmp_path):
    image = QueuedImage(id=1, path=tmp_path, entrance="dicom", sender="CR1", modality="CR")
    rules = (Rule(name="CR", destinations=("pacs",), modality=("CR",)),)

    result = result_of(Failure(path="x", code="truncated", reason="r", advice="a"), image, rules)

    assert (result.state, result.rule, result.row["code"]) == (ImageState.FAILED, "CR", "truncated")


def test_a_classifier_records_and_plans(tmp_path, films):
    store = run_classifier(tmp_path, films[:3], Engine())

    counts = store.counts()
    assert (counts.classified, counts.to_be_stored) == (3, 3)
    assert {one.form for one in store.next_to_deliver("pacs", 5)} == {Form.CORRECTED}
    store.close()


def test_a_classifier_tries_again_when_the_engine_failed(tmp_path, films, monkeypatch):
    monkeypatch.setattr(classifier, "_TROUBLE_SECONDS", 0.01)
    store = run_classifier(tmp_path, films[:2], Engine(InferenceError("x"), InferenceError("x")))

    assert store.counts().classified == 2
    store.close()


@pytest.mark.parametrize(("times", "failed"), [(2, 0), (3, 1)])
def test_a_classifier_reads_an_image_again_that_took_too_long(tmp_path, films, times, failed):
    slow = Failure(path="x", code="timeout", reason="r", advice="a")

    store = run_classifier(tmp_path, films[:1], Engine(*[slow] * times))

    assert (store.counts().failed, store.counts().classified) == (failed, 1 - failed)
    store.close()


def run_classifier(folder, films, engine) -> Store:
    store = Store(folder / "queue")
    thread = Classifier(store, engine, RULES)
    thread.start()
    for film in films:
        part = store.new_part()
        part.write_bytes(film.read_bytes())
        store.accept(part, "dicom", "CR1")
    end = time.monotonic() + 60
    while store.counts().waiting:
        assert time.monotonic() < end
        time.sleep(0.01)
    thread.stop()
    thread.join(10)
    assert not thread.is_alive()
    return store
