"""A worker process of a write-back: jobs in, one outcome a file out.

`worker_pool` starts it as `python -m cxrview.writeback.worker`.
"""

import json
import os
import pickle
import queue
import struct
import threading
from collections.abc import Sequence
from typing import IO, Any

from cxrview.errors import CannotWrite
from cxrview.workers.memory import tune_malloc
from cxrview.workers.process import READY, connect_to_parent
from cxrview.writeback.jobs import Job, Outcome
from cxrview.writeback.journal import outcome_entry
from cxrview.writeback.settings import CorrectionSettings

LENGTH = struct.Struct("<I")
"""Before each message, either way: how many bytes follow."""


def carry_out(jobs: Sequence[Job], settings: CorrectionSettings) -> list[Outcome]:
    """Carry out some jobs; one outcome for each file.

    Raises:
        CannotWrite: the disk took no more.
    """
    return [outcome for job in jobs for outcome in job.carry_out(settings)]


def main() -> None:
    """Serve the parent until it closes the pipe, or ends."""
    inbox, outbox = connect_to_parent()
    tune_malloc()
    tasks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive_all, args=(inbox, tasks), daemon=True).start()
    settings: CorrectionSettings = pickle.loads(tasks.get())  # from our own parent
    outbox.write(READY)
    outbox.flush()
    while True:
        answer = json.dumps(_answer(pickle.loads(tasks.get()), settings)).encode()
        outbox.write(LENGTH.pack(len(answer)) + answer)
        outbox.flush()


def _receive_all(inbox: IO[bytes], tasks: "queue.SimpleQueue[bytes]") -> None:
    """Receive messages; at the end of the pipe end this process, also within a job.

    The parent was killed then. What this process still wrote would race a resumed run.
    """
    while len(head := inbox.read(LENGTH.size)) == LENGTH.size:
        tasks.put(inbox.read(*LENGTH.unpack(head)))
    os._exit(1)


def _answer(jobs: Sequence[Job], settings: CorrectionSettings) -> dict[str, Any]:
    """The outcomes as entries of the journal, or why the run cannot continue."""
    try:
        return {"outcomes": [outcome_entry(one) for one in carry_out(jobs, settings)]}
    except CannotWrite as error:
        return {"cannot_write": [error.reason, error.advice]}


if __name__ == "__main__":
    main()
