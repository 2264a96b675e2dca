"""SHA-256 of files, and the random order of names."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.digests import file_sha256, shuffle_key


def test_file_sha256_is_that_of_all_bytes(tmp_path):
    path = tmp_path / "weights"
    path.write_bytes(bytes(range(256)) * 5000)

    assert file_sha256(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_file_sha256_of_a_missing_file_raises(tmp_path):
    with pytest.raises(FileNotFoundError):
        file_sha256(tmp_path / "missing")


@given(st.permutations([f"{k}.dcm" for k in range(20)]), st.integers())
def test_shuffle_key_gives_one_order_for_any_order_of_rows(names, seed):
    assert sorted(names, key=lambda n: shuffle_key(seed, n)) == sorted(
        sorted(names), key=lambda n: shuffle_key(seed, n)
    )


def test_shuffle_key_depends_on_the_seed():
    names = [f"{k}.dcm" for k in range(20)]

    orders = {tuple(sorted(names, key=lambda n, s=s: shuffle_key(s, n))) for s in range(5)}

    assert len(orders) == 5


def test_shuffle_key_takes_names_that_are_not_unicode():
    assert shuffle_key(0, "\udcff.dcm")[0] == hashlib.sha256(b"0\n\xff.dcm").digest()
