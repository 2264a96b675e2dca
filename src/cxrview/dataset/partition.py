"""The one rule that says which partition a patient belongs to, for every model and every issue."""

import hashlib

from cxrview.terms import Partition

RULE = (
    "SHA-256 of the patient's name modulo 10: 0-5 training, 6-7 validation, 8-9 test "
    "(cxrview.dataset.partition)"
)
"""The rule in words, for cards and tables."""


def partition_of(patient: str) -> Partition:
    """Assign a patient for ever: SHA-256 of the name, as a number, modulo 10.

    0 to 5 are training, 6 and 7 validation, 8 and 9 test. It depends on nothing else, so
    that no later run can move a patient from test to training.

    Args:
        patient: the patient's name in the labels file, not empty.

    Raises:
        ValueError: an empty name, which would put unrelated images together.
    """
    if not patient:
        raise ValueError("a patient without a name belongs to no partition")
    digit = int.from_bytes(hashlib.sha256(patient.encode()).digest()) % 10
    if digit <= 5:
        return Partition.TRAINING
    return Partition.VALIDATION if digit <= 7 else Partition.TEST
