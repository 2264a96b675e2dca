import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.classify.selection import Selected, Selection
from cxrview.errors import UsageError
from cxrview.sources.find import UnlistedFolder
from cxrview.sources.shard import Shard

paths = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))


@given(paths=paths, count=st.integers(1, 9))
def test_shards_share_out_any_list_of_paths_without_rest(paths, count):
    shares = [
        list(Selected(paths, Selection(shard=Shard(number=number, count=count))))
        for number in range(1, count + 1)
    ]

    assert sorted(path for share in shares for path in share) == sorted(paths)
    assert all(set(a).isdisjoint(b) for k, a in enumerate(shares) for b in shares[:k])
    assert all(share == [path for path in paths if path in share] for share in shares)


@given(paths=paths)
def test_one_shard_of_one_is_all(paths):
    assert list(Selected(paths, Selection(shard=Shard.named("1/1")))) == paths


def test_shards_are_about_alike():
    """Of 8,000 paths by chance a shard of eight gets 1,000, give or take 5 x 30."""
    paths = [f"/archive/PAT{n // 10:05}/IM{n % 10:04}" for n in range(8000)]

    sizes = [sum(map(Shard(number=k, count=8).holds, paths)) for k in range(1, 9)]

    assert sum(sizes) == 8000
    assert all(850 < size < 1150 for size in sizes)


@pytest.mark.parametrize("name", ["b.dcm", "a::b", "s3::b.dcm"])
def test_a_path_lies_in_the_same_shard_however_it_is_written(tmp_path, monkeypatch, name):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / name).touch()
    folders = {".": f"a/{name}", "a": name}

    for shard in (Shard(number=k, count=5) for k in range(1, 6)):
        held = {shard.holds(f"{tmp_path}/a/{name}")}
        for folder, path in folders.items():
            monkeypatch.chdir(tmp_path / folder)
            held |= {shard.holds(path), shard.holds(f"./{path}")}
        assert len(held) == 1


def test_a_folder_that_could_not_be_listed_is_told_of_by_every_shard():
    folder = UnlistedFolder("/archive/1", "Stale file handle")

    assert all(Shard(number=k, count=5).holds(folder) for k in range(1, 6))


def test_every_machine_shares_out_alike():
    code = (
        "from cxrview.sources.shard import Shard;"
        "print([Shard.named('2/3').holds(f'/a/{n}') for n in range(50)])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert said == {f"{[Shard.named('2/3').holds(f'/a/{n}') for n in range(50)]}\n"}


@pytest.mark.parametrize("text", ["", "3", "0/8", "9/8", "-1/8", "1/0", "a/b", "1/2/3", "1/99999"])
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(UsageError, match="shard"):
        Shard.named(text)
