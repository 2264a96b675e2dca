"""`BlockPipeline`: one run of the engine that takes block after block without a pause."""

import queue
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing
from typing import Self

from cxrview.classify.engine import iter_outcomes
from cxrview.classify.model import Model
from cxrview.classify.options import ClassifyOptions
from cxrview.errors import RunStopped
from cxrview.records.classification import Failure, Outcome


class BlockPipeline:
    """Classifies blocks of paths by the engine of a run on one machine.

    The engine gets the paths of all blocks as one endless list, so that the first files of the next
    block are decoded while the model is at the last ones of this block. A row does not depend on
    what else is in its batch.

    Args:
        model: from `load_model`.
        options: resolved.
    """

    def __init__(self, model: Model, options: ClassifyOptions) -> None:
        self._model, self._options = model, options
        self._given: queue.SimpleQueue[_Block | None] = queue.SimpleQueue()
        self._running: deque[_Block] = deque()
        self._error: Exception | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="block pipeline", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._given.put(None)
        self._thread.join()

    def classify(self, paths: Sequence[str]) -> list[Outcome]:
        """Classify the files of a block; several threads may call it.

        Args:
            paths: of the block.

        Returns:
            One outcome for each path, in the order of the paths.

        Raises:
            InferenceError: the device that the model runs on failed.
            RunStopped: outcomes of some files are missing.
            WorkerStartError: the processes that read files cannot be started.
        """
        if not paths:
            return []
        block = _Block(paths)
        with self._lock:
            if self._error:
                raise self._error
            self._running.append(block)
            self._given.put(block)
        return block.done.result()

    def _run(self) -> None:
        error: Exception = RunStopped("the worker was ended")
        try:
            with closing(iter_outcomes(self._paths(), self._model, self._options)) as outcomes:
                for outcome in outcomes:
                    if outcome is not None:
                        self._add(outcome)
        except Exception as raised:  # raised in the threads that wait for blocks
            error = raised
        with self._lock:
            self._error = error
            while self._running:
                self._running.popleft().done.set_exception(error)

    def _paths(self) -> Iterator[str]:
        while (block := self._given.get()) is not None:
            yield from block.paths

    def _add(self, outcome: Outcome) -> None:
        """Add an outcome to the oldest block: they come in the order of the paths.

        Raises:
            RunStopped: outcomes of earlier files never came, so that the blocks must be done again.
        """
        block = self._running[0]
        path = outcome.path if isinstance(outcome, Failure) else outcome.instance.path
        if path != block.paths[len(block.outcomes)]:
            raise RunStopped(
                "the outcomes of some files are missing",
                "Check the device and its memory, and run the same command with --resume",
            )
        block.outcomes.append(outcome)
        if len(block.outcomes) == len(block.paths):
            self._running.popleft()
            block.done.set_result(block.outcomes)


class _Block:
    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = paths
        self.outcomes: list[Outcome] = []
        self.done: Future[list[Outcome]] = Future()
