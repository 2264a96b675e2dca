import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.dataset.split import partition_of
from cxrview.terms import Partition


@given(st.text(min_size=1).filter(lambda s: s.isprintable()))
def test_the_rule_is_the_published_one(patient):
    digit = int(hashlib.sha256(patient.encode()).hexdigest(), 16) % 10

    expected = ["training"] * 6 + ["validation"] * 2 + ["test"] * 2
    assert partition_of(patient) == expected[digit]


def test_known_patients_stay_where_they_were_put_once():
    """A changed rule would move test patients into training without a sound."""
    assert partition_of("openi-2") is Partition.TRAINING
    initials = [partition_of(f"p{n}").value[:2] for n in range(12)]
    assert initials == ["tr", "va", "te", "tr", "va", "tr", "tr", "tr", "te", "te", "va", "te"]


def test_a_patient_without_a_name_is_refused():
    with pytest.raises(ValueError, match="without a name"):
        partition_of("")
