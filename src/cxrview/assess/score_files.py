"""Read and write scores of classifiers on labelled images as Parquet.

The columns are `classifier, file, patient, variant, view` (the truth), `pfi`, facts such as
`source`, and `chest` for a model with this output; one row for each image or variant.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrview.atomic_files import atomic_path_in_new_folder, raising_cannot_write
from cxrview.errors import UsageError
from cxrview.records.scores import Scores
from cxrview.terms import View

_COLUMNS = ("classifier", "file", "patient", "variant", "view", "pfi")
_CHEST = "chest"
_ORDER, _ABOUT = b"cxrview.classifiers", b"cxrview.about"


def write_scores(
    path: Path, scores: Sequence[Scores], about: Mapping[str, str] | None = None
) -> None:
    """Write the rows of one classifier after the other; the file is written atomically.

    Args:
        path: .parquet.
        scores: of each classifier.
        about: what the scores were made of, for `read_scores_about`.

    Raises:
        CannotWrite: the file cannot be written.
        ValueError: two classifiers have one name, or a fact has the name of a column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [one.classifier for one in scores]
    kinds = sorted({kind for one in scores for kind in one.facts})
    if len(set(names)) != len(names) or set(kinds) & {*_COLUMNS, _CHEST}:
        raise ValueError(f"the classifiers {names} or the facts {kinds} cannot be told apart")
    fields = [(name, pa.string()) for name in _COLUMNS[:-1]] + [("pfi", pa.float64())]
    if any(one.chest is not None for one in scores):
        fields.append((_CHEST, pa.float64()))
    schema = pa.schema(
        [*fields, *((kind, pa.string()) for kind in kinds)],
        # Classifiers without a row are only named in the metadata.
        metadata={_ORDER: json.dumps(names), **({_ABOUT: json.dumps(about)} if about else {})},
    )
    tables = [pa.table(_columns(one, kinds, schema.names), schema=schema) for one in scores]
    table = pa.concat_tables(tables) if tables else schema.empty_table()
    with raising_cannot_write(path), atomic_path_in_new_folder(path) as part:
        pq.write_table(table.replace_schema_metadata(schema.metadata), part, compression="zstd")


def read_scores(path: Path) -> tuple[Scores, ...]:
    """Read a file of `write_scores`, in its order; rows of one classifier need not be together.

    Raises:
        UsageError: the file is missing, not Parquet, lacks a column, or has a value out of range.
    """
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
        names = np.array(table["classifier"].to_pylist(), dtype=str)
        order = json.loads((table.schema.metadata or {}).get(_ORDER, b"null"))
        columns = {name: np.array(table[name].to_pylist()) for name in table.column_names}
        if missing := set(_COLUMNS) - set(columns):
            raise KeyError(", ".join(sorted(missing)))
        return tuple(_scores(n, columns, names == n) for n in order or dict.fromkeys(names))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError) as error:  # Arrow's errors are ValueErrors
        raise UsageError(
            f"{path} holds no scores: a column is missing, or a value is out of range",
            "Create it again with the command that wrote it",
        ) from error


def read_scores_about(path: Path) -> dict[str, str]:
    """Read what the scores of a file that `read_scores` reads were made of.

    Returns:
        `about` of `write_scores`; empty if it was not given, as by older versions.
    """
    import pyarrow.parquet as pq

    return dict(json.loads((pq.read_schema(path).metadata or {}).get(_ABOUT, b"{}")))


def _columns(
    one: Scores, kinds: Sequence[str], names: Sequence[str]
) -> dict[str, Sequence[str | None] | NDArray[np.float64]]:
    views = np.where(one.is_frontal, View.FRONTAL, View.LATERAL)
    empty = np.full(len(one), "")
    texts = {
        "file": one.files,
        "patient": one.patients,
        "variant": one.variants,
        "view": views,
        **{kind: one.facts.get(kind, empty) for kind in kinds},
    }
    chest = {_CHEST: [None] * len(one) if one.chest is None else one.chest}
    return {
        "classifier": [one.classifier] * len(one),
        "pfi": one.pfi,
        **(chest if _CHEST in names else {}),
        **{name: [str(value) for value in values] for name, values in texts.items()},
    }


def _scores(
    name: str, columns: dict[str, NDArray[np.generic]], chosen: NDArray[np.bool_]
) -> Scores:
    of = {column: values[chosen] for column, values in columns.items()}
    views = [View(str(view)) for view in of["view"]]  # ValueError for any other word
    chest = of.get(_CHEST)
    if chest is not None and any(value is None for value in chest):
        chest = None
    return Scores(
        classifier=str(name),
        files=of["file"].astype(str),
        patients=of["patient"].astype(str),
        variants=of["variant"].astype(str),
        is_frontal=np.array([view is View.FRONTAL for view in views], bool),
        pfi=of["pfi"].astype(np.float64),
        facts={k: v.astype(str) for k, v in of.items() if k not in {*_COLUMNS, _CHEST}},
        chest=None if chest is None else chest.astype(np.float64),
    )
