"""The thread that sends what is due to one destination."""

import logging
import threading
from concurrent.futures import Future
from contextlib import ExitStack, closing, suppress

from cxrview.errors import CannotWrite
from cxrview.service.configuration import DestinationSettings
from cxrview.service.delivery.backoff import Backoff
from cxrview.service.delivery.products import CannotMake, CannotMakeNow, Products
from cxrview.service.delivery.sender import Answer, DestinationDown, OutgoingObject, Sender
from cxrview.service.log import log_event
from cxrview.service.records import Delivery
from cxrview.service.store import Store

AT_ONCE = 16
"""Objects sent on one connection."""
_LONGEST_WAIT_SECONDS = 1.0
"""Until the store is asked again without a signal, such as for a delivery that was due later."""
_DOWN = Backoff(first_seconds=1.0, longest_seconds=30.0)
"""Waits while a destination does not answer."""


class Deliverer(threading.Thread):
    """Sends deliveries to one destination until it is stopped.

    A destination that does not answer is asked again and again, by growing waits, and its objects
    wait. An object that it refuses is tried again on its own, after those that came later, and is
    given up after `tries`.

    Args:
        store: with the deliveries.
        name: of the destination.
        settings: of the destination.
        sender: to it.
        products: makes the objects.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        settings: DestinationSettings,
        sender: Sender,
        products: Products,
    ) -> None:
        super().__init__(name=f"deliver to {name}", daemon=True)
        self._store, self._destination, self._settings = store, name, settings
        self._sender, self._products = sender, products
        self._backoff = Backoff(
            first_seconds=settings.first_wait_seconds,
            longest_seconds=settings.longest_wait_seconds,
        )
        self._signal = store.new_signal()
        self._stopping = threading.Event()
        self._recorded: list[Future[None]] = []
        """Of the objects that were confirmed since the store was asked."""
        self._failures = 0
        """Times in a row that the destination, or the disk, did not do its part."""
        self._has_answered = False
        """Whether the failures that an earlier process noted are over."""

    def stop(self) -> None:
        """End after the object that is being sent."""
        self._stopping.set()
        self._signal.set()

    def run(self) -> None:
        """Send until stopped."""
        while not self._stopping.is_set():
            try:
                is_idle = not self.deliver_due()
            except (DestinationDown, CannotWrite) as error:
                self._pause(error)
                continue
            except Exception as error:  # an error in cxrview must not end all deliveries for good
                log_event(
                    "deliveries failed",
                    level=logging.ERROR,
                    destination=self._destination,
                    error=type(error).__name__,
                )
                self._stopping.wait(_DOWN.longest_seconds)
                continue
            if is_idle:
                self._signal.wait(_LONGEST_WAIT_SECONDS)
                self._signal.clear()

    def deliver_due(self) -> int:
        """Send what is due now; return the number of answers.

        Raises:
            DestinationDown: the destination does not answer.
            CannotWrite: the disk is full.
        """
        due = self._store.next_to_deliver(self._destination, AT_ONCE)
        number = 0
        with ExitStack() as made:
            # The last to end, since the store must not be asked again before.
            made.callback(self._wait_for_records)
            objects = [one for delivery in due if (one := self._make(made, delivery))]
            answers = made.enter_context(closing(self._sender.send(objects)))
            for one in objects:
                if self._stopping.is_set():
                    break
                answer = next(answers)
                number += 1
                self._record(one.delivery, answer)
                if self._failures or not self._has_answered:
                    self._store.note_destination(self._destination)
                if self._failures:
                    log_event("destination works again", destination=self._destination)
                self._failures, self._has_answered = 0, True
        return number

    def _wait_for_records(self) -> None:
        """Wait until everything that was confirmed is recorded on the disk."""
        recorded, self._recorded = self._recorded, []
        for one in recorded:
            one.result()

    def _make(self, made: ExitStack, delivery: Delivery) -> OutgoingObject | None:
        try:
            return made.enter_context(self._products.made(delivery))
        except CannotMakeNow as error:
            self._record(delivery, Answer(is_stored=False, reason=error.reason))
            return None
        except CannotMake as error:
            self._store.record_failed(delivery, error.reason, wait_seconds=0, most_tries=1)
            log_event(
                "delivery given up",
                destination=self._destination,
                form=str(delivery.form),
                tries=delivery.tries + 1,
                reason=error.reason,
            )
            return None
        except CannotWrite:
            raise
        except Exception as error:  # an error in cxrview costs this delivery a try, no other one
            reason = f"internal error: {type(error).__name__}"
            self._record(delivery, Answer(is_stored=False, reason=reason))
            return None

    def _record(self, delivery: Delivery, answer: Answer) -> None:
        if answer.is_stored:
            self._recorded.append(self._store.submit_stored(delivery, answer.reason))
            return
        state = self._store.record_failed(
            delivery,
            answer.reason,
            wait_seconds=self._backoff.seconds(delivery.tries + 1),
            most_tries=self._settings.tries,
        )
        log_event(
            "delivery failed",
            destination=self._destination,
            form=str(delivery.form),
            state=str(state),
            tries=delivery.tries + 1,
            reason=answer.reason,
        )

    def _pause(self, error: DestinationDown | CannotWrite) -> None:
        self._failures += 1
        reason = error.reason if isinstance(error, DestinationDown) else "the disk is full or fails"
        if self._failures == 1:
            log_event("destination fails", destination=self._destination, reason=reason)
        with suppress(CannotWrite):  # the same disk
            self._store.note_destination(self._destination, reason)
        self._stopping.wait(_DOWN.seconds(self._failures))
