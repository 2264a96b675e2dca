"""A split written and read back, and other people's splits."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cxrview.dataset.split_files import SPLIT_COLUMNS, read_split, write_split
from cxrview.errors import CannotWrite, UsageError
from cxrview.records.dataset import Label, Split
from cxrview.terms import Partition, View

LABELS = [
    Label(
        file=f"{name}, 1.png",
        source="drawn",
        study="s",
        patient=f"p{name}",
        view=View.FRONTAL,
        partition=Partition.TEST,
    )
    for name in "bca"
]
SPLIT = Split(
    partitions={"a, 1.png": Partition.TRAINING, "b, 1.png": Partition.TEST}, by="image", seed=7
)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("split", [SPLIT, Split(partitions=SPLIT.partitions, by="rule")])
def test_a_split_comes_back_as_it_went(tmp_path, ending, split):
    path = tmp_path / f"split.{ending}"

    write_split(path, split, LABELS)

    assert read_split(path) == split
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_rows_are_in_the_order_of_file_names_and_only_those_with_a_partition(tmp_path):
    write_split(tmp_path / "split.csv", SPLIT, LABELS)

    assert (tmp_path / "split.csv").read_text().splitlines() == [
        ",".join(SPLIT_COLUMNS),
        '"a, 1.png",training,image,7,drawn,s,pa,frontal',
        '"b, 1.png",test,image,7,drawn,s,pb,frontal',
    ]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_two_columns_are_enough_and_patients_are_then_kept_apart(tmp_path, ending):
    path = tmp_path / f"own.{ending}"
    if ending == "csv":
        path.write_text("partition,note,file\ntest,x,a.png\n")
    else:
        pq.write_table(pa.table({"file": ["a.png"], "partition": ["test"], "n": [1]}), path)

    split = read_split(path)

    assert split == Split(partitions={"a.png": Partition.TEST}, by="patient")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("file\na.png\n", "no column partition"),
        ("file,partition\n", "split.csv"),
        ("file,partition\na.png,train\n", "row 1: .*partition"),
        ("file,partition\na.png\n", "row 1: .*partition"),
        ("file,partition\na.png,test\na.png,training\n", "row 2: file a.png"),
        ("file,partition,by\na,test,image\nb,test,patient\n", "row 2: by "),
        ("file,partition,seed\na,test,1\nb,test,2\n", "row 2: seed "),
        ("file,partition,by\na,test,study\n", "split.csv: by"),
        ("file,partition,seed\na,test,x\n", "split.csv: .*seed"),
        ("file,partition\n" + "".join(f"{n},x\n" for n in range(12)), "row 10: .*; and 2 more"),
    ],
)
def test_what_is_no_split_is_refused_with_the_reason(tmp_path, text, reason):
    (tmp_path / "split.csv").write_text(text)

    with pytest.raises(UsageError, match=reason):
        read_split(tmp_path / "split.csv")


@pytest.mark.parametrize("name", ["split.csv", "split.parquet"])
@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_what_is_no_table_is_refused_in_a_line(tmp_path, name, content):
    if content:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(UsageError, match=name):
        read_split(tmp_path / name)


def test_other_formats_and_missing_folders_are_refused(tmp_path):
    with pytest.raises(UsageError, match="split.xlsx"):
        write_split(tmp_path / "split.xlsx", SPLIT, LABELS)
    with pytest.raises(CannotWrite, match="cannot be written"):
        write_split(tmp_path / "nowhere" / "split.csv", SPLIT, LABELS)
