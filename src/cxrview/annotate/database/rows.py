"""Convert the records of an annotation study to rows of its tables, and back."""

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from cxrview.records.annotation import AnnotationStudy, LabelChoice, Reader, Reading, StudyImage
from cxrview.terms import Action, Method, ReadingRound, Role, View

AnyRow = Row[Any]


def study_row(study: AnnotationStudy) -> dict[str, Any]:
    """Return the one row of the table `study`."""
    return {
        "study_id": study.study_id,
        "name": plain(study.name),
        "created": study.created,
        "choices": [{"name": choice.name, "key": choice.key} for choice in study.choices],
        "seed": study.seed,
        "readings_per_image": study.readings_per_image,
        "repeat_share": study.repeat_share,
        "root": study.root,
        "about": finite(study.about),
    }


def row_study(row: AnyRow) -> AnnotationStudy:
    """Return the record of the one row of the table `study`."""
    choices = tuple(LabelChoice(**choice) for choice in row.choices)
    return AnnotationStudy(**{**row._asdict(), "choices": choices})


def image_row(image: StudyImage, ordinal: int) -> dict[str, Any]:
    """Return a row of the table `image`; `ordinal` is its position in the study."""
    return {
        "image_id": image.image_id,
        "ordinal": ordinal,
        "path": image.path,
        "source": plain(image.source),
        "patient": plain(image.patient),
        "study": plain(image.study),
        "content_id": image.content_id,
        "stratum": plain(image.stratum),
        "weight": image.weight,
        "model_view": image.model_view,
        "model_decision": image.model_decision,
        "pfi": image.pfi,
        "header_view": image.header_view,
    }


def row_image(row: AnyRow) -> StudyImage:
    """Return the record of a row of the table `image`."""
    facts = row._asdict()
    del facts["ordinal"]
    view = facts.pop("header_view")
    return StudyImage(**facts, header_view=None if view is None else View(view))


def row_reader(row: AnyRow) -> Reader:
    """Return the record of a row of the table `reader`, without its secrets."""
    roles = frozenset(Role(role) for role in row.roles)
    return Reader(
        reader_id=row.reader_id,
        name=row.name,
        roles=roles,
        is_retired=row.retired is not None,
        is_withdrawn=row.withdrawn is not None,
    )


def as_stored(reading: Reading, reading_id: int, received: datetime) -> Reading:
    """Return the reading as the database will return it."""
    return replace(
        reading,
        reading_id=reading_id,
        received=received,
        note=plain(reading.note),
        display=finite(reading.display),
    )


def reading_row(reading: Reading) -> dict[str, Any]:
    """Return a row of the table `reading`."""
    return {field.name: getattr(reading, field.name) for field in fields(Reading)}


def row_reading(row: AnyRow) -> Reading:
    """Return the record of a row of the table `reading`."""
    facts = row._asdict()
    facts.update(round=ReadingRound(row.round), act=Action(row.act), how=Method(row.how))
    return Reading(**facts)


def plain(text: str) -> str:
    """Return text that both databases accept: without lone surrogates and zero bytes.

    A browser may send either, and would send a note that cannot be written again for ever.
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "�")


def finite(value: Any) -> Any:
    """Return JSON that both databases accept: NaN and infinity become null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {plain(str(name)): finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    return plain(value) if isinstance(value, str) else value
