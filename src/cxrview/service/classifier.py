"""Takes images from the store, has them classified, and decides what is sent where."""

import logging
import queue
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Protocol

from cxrview.errors import CannotWrite, RunStopped
from cxrview.records.classification import Failure, Outcome
from cxrview.results.columns import failure_row, prediction_row
from cxrview.results.journal import TRANSIENT_CODES
from cxrview.service.configuration import Rule
from cxrview.service.delivery.rules import planned_deliveries, rule_for
from cxrview.service.log import log_event
from cxrview.service.records import ImageState, QueuedImage, Result
from cxrview.service.store import Store
from cxrview.terms import Decision

AHEAD = 64
"""Images in the hands of the engine at a time: enough for full batches on many cores."""
_WAIT_SECONDS = 1.0
_TROUBLE_SECONDS = 5.0
"""Pause after the engine or the disk failed."""
_TRIES = 3
"""Of an image that fails for lack of memory or time."""
_STATES = {
    Decision.CLASSIFIED: ImageState.CLASSIFIED,
    Decision.REVIEW: ImageState.REVIEW,
    Decision.NOT_CHEST: ImageState.REFUSED,
    Decision.SKIPPED: ImageState.REFUSED,
}


class Submits(Protocol):
    """The part of the engine that is used here."""

    def submit(self, path: str) -> "Future[Outcome]":
        """Classify one file, later."""


class Classifier(threading.Thread):
    """Classifies the images of a store until it is stopped.

    Args:
        store: with the images.
        engine: classifies files.
        rules: say what is sent where.
    """

    def __init__(self, store: Store, engine: Submits, rules: Sequence[Rule]) -> None:
        super().__init__(name="classifier", daemon=True)
        self._store, self._engine, self._rules = store, engine, rules
        self._signal = store.new_signal()
        self._stopping = threading.Event()
        self._done: queue.SimpleQueue[tuple[QueuedImage, Future[Outcome]]] = queue.SimpleQueue()
        self._in_hand = 0
        self._tried: dict[int, int] = {}
        """Tries that failed for a reason that may pass, by image."""

    def stop(self) -> None:
        """End soon; images without an outcome are classified after the next start."""
        self._stopping.set()
        self._signal.set()

    def run(self) -> None:
        """Classify until stopped."""
        while not self._stopping.is_set():
            try:
                self._submit()
                self._signal.wait(_WAIT_SECONDS)
                self._signal.clear()
                self._take_outcomes()
            except Exception as error:  # an error in cxrview must not end the service for good
                self._pause(error)

    def _submit(self) -> None:
        for image in self._store.next_to_classify(AHEAD - self._in_hand):
            self._in_hand += 1
            future = self._engine.submit(str(image.path))
            future.add_done_callback(partial(self._take, image))

    def _take(self, image: QueuedImage, done: "Future[Outcome]") -> None:
        self._done.put((image, done))
        self._signal.set()

    def _take_outcomes(self) -> None:
        """Record all outcomes that are there, in one commit."""
        results: dict[int, Result] = {}
        again: list[int] = []
        errors: list[Exception] = []
        while not self._done.empty():
            image, done = self._done.get()
            self._in_hand -= 1
            try:
                result = self._result(image, done)
            except Exception as error:  # says nothing about the image; other images go on
                errors.append(error)
                result = None
            if result:
                results[image.id] = result
            else:
                again.append(image.id)
        try:
            self._record(results)
            if errors and not self._stopping.is_set():
                self._pause(errors[0])
        finally:
            for image_id in again:
                self._store.release(image_id)

    def _result(self, image: QueuedImage, done: "Future[Outcome]") -> Result | None:
        """The result of an image; None if it is to be classified again."""
        outcome = done.result()
        if self._is_worth_a_try(outcome, image):
            return None
        self._tried.pop(image.id, None)
        return result_of(outcome, image, self._rules)

    def _record(self, results: Mapping[int, Result]) -> None:
        while results and not self._stopping.is_set():
            try:
                self._store.record_outcomes(results)
                return
            except CannotWrite:
                log_event("outcome waits for the disk")
                self._stopping.wait(_TROUBLE_SECONDS)

    def _pause(self, error: Exception) -> None:
        if isinstance(error, RunStopped):
            log_event("engine failed", error=type(error).__name__)
        else:  # an error in cxrview
            log_event("classifier failed", level=logging.ERROR, error=type(error).__name__)
        self._stopping.wait(_TROUBLE_SECONDS)

    def _is_worth_a_try(self, outcome: Outcome, image: QueuedImage) -> bool:
        """Whether an image failed for a reason that may pass, such as lack of memory."""
        if not isinstance(outcome, Failure) or outcome.code not in TRANSIENT_CODES:
            return False
        tries = self._tried[image.id] = self._tried.get(image.id, 0) + 1
        return tries < _TRIES


def result_of(outcome: Outcome, image: QueuedImage, rules: Sequence[Rule]) -> Result:
    """What is recorded of an outcome, and what is to be sent.

    Args:
        outcome: of the engine.
        image: that was classified.
        rules: in their order.
    """
    if isinstance(outcome, Failure):
        state, agreement, modality = ImageState.FAILED, None, image.modality
        row = failure_row(outcome)
    else:
        state, agreement = _STATES[outcome.decision], outcome.agreement
        modality = outcome.instance.modality or image.modality
        row = prediction_row(outcome)
    row.pop("path")
    rule = rule_for(rules, image, state, modality=modality, agreement=agreement)
    return Result(
        state=state,
        row=row,
        rule=rule.name if rule else None,
        deliveries=planned_deliveries(rule, state),
    )
