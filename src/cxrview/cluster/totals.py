"""`Totals`: what a run has finished, with little memory for each block."""

from collections import Counter
from dataclasses import replace

from cxrview.cluster.ledger import Count, FinishedBlock
from cxrview.results.journal import ANSWER_COUNTS


class Totals:
    """The finished blocks of a job, and the counts of their files."""

    def __init__(self) -> None:
        self._blocks: dict[int, FinishedBlock] = {}
        self._counts: Counter[tuple[str | None, str | None, str | None, str | None]] = Counter()
        self._answers: Counter[str] = Counter()
        self.files = 0

    def add(self, block: FinishedBlock) -> None:
        """Add a block; one that is there already is not counted again."""
        if block.number in self._blocks:
            return
        self.files += block.files
        self._answers.update(block.answers)
        for code, decision, view, agreement, count in block.counts:
            self._counts[code, decision, view, agreement] += count
        self._blocks[block.number] = replace(block, counts=(), answers={})

    def __contains__(self, number: object) -> bool:
        return number in self._blocks

    def __len__(self) -> int:
        return self.files

    def blocks(self) -> list[FinishedBlock]:
        """Return all blocks in order, without their counts."""
        return [self._blocks[number] for number in sorted(self._blocks)]

    def counts(self) -> list[Count]:
        """See `Journal.counts`."""
        found = sorted(self._counts.items(), key=lambda one: [(text or "") for text in one[0]])
        return [(*kind, count) for kind, count in found]

    def answer_counts(self) -> dict[str, int]:
        """See `Journal.answer_counts`."""
        return {name: self._answers[name] for name in ANSWER_COUNTS if self._answers[name]}
