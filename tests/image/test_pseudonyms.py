import hashlib
import hmac
import re

import pytest

from cxrview.errors import UsageError
from cxrview.image.pseudonyms import key_condition, load_key, load_or_make_key, pseudonym


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path):
    path = tmp_path / "settings" / "patient.key"

    first, second = load_or_make_key(path), load_or_make_key(path)

    assert first == second
    assert path.stat().st_mode & 0o777 == 0o600


def test_two_keys_differ(tmp_path):
    assert load_or_make_key(tmp_path / "a") != load_or_make_key(tmp_path / "b")


def test_a_pseudonym_is_the_hmac_of_the_id():
    key = b"k" * 32

    assert pseudonym(key, "4711") == hmac.new(key, b"4711", hashlib.sha256).hexdigest()
    assert pseudonym(key, "") == ""


def test_a_short_key_is_refused(tmp_path):
    (tmp_path / "key").write_bytes(b"secret")

    with pytest.raises(UsageError, match="at least 32"):
        load_or_make_key(tmp_path / "key")


def test_a_key_that_must_be_there_is_not_made(tmp_path):
    path = tmp_path / "key"

    with pytest.raises(UsageError, match=re.escape(str(path))):
        load_key(path)
    assert not path.exists()
    assert load_or_make_key(path) == load_key(path)


def test_the_condition_of_a_key_is_the_beginning_of_its_digest():
    assert key_condition(b"k" * 32) == "key " + hashlib.sha256(b"k" * 32).hexdigest()[:16]
