"""The list of images that a reader is shown in the blind round, and its order.

The list is not stored: it follows by keyed hashes from the study's seed, so that it is the same
after every start, and added images or readers do not change the order of the others.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from cxrview.records.annotation import AnnotationStudy, Reader, StudyImage
from cxrview.terms import ReadingRound, Role

REPEAT_GAP = 10
"""Minimum number of showings between an image and its hidden repeat, so that the reader does not
remember it; our choice."""
_READ = np.uint64(2**63)
"""Score above every hash: readers who have read an image come before all others."""


@dataclass(frozen=True, slots=True)
class Showing:
    """One image shown to one reader."""

    showing_id: str
    """16 hexadecimal digits, the only id that the browser receives: it does not reveal that an
    image comes twice, or that two readers see the same image."""
    image_id: str
    occasion: int
    """0, or 1 for a hidden repeat."""


def showing_id(
    study: AnnotationStudy,
    reader_id: int,
    image_id: str,
    occasion: int = 0,
    shown_in: ReadingRound = ReadingRound.BLIND,
) -> str:
    """Return the id of one image shown to one reader, a hash that needs the study's seed."""
    return _hash(study, "showing", reader_id, image_id, occasion, shown_in).hex()


def worklist(
    study: AnnotationStudy,
    images: Iterable[StudyImage],
    readers: Iterable[Reader],
    reader: Reader,
    *,
    has_read: Mapping[str, Collection[int]] | None = None,
    has_seen: Mapping[str, Collection[int]] | None = None,
) -> tuple[Showing, ...]:
    """Return all showings of a reader, in the reader's order; none for an adjudicator only.

    With more readers than `readings_per_image`, each image is assigned to that many of them by
    rendezvous hashing: a reader who is added later takes over an even share from the others.

    Args:
        study: has seed, readings per image and share of repeats.
        images: all of the study.
        readers: all of the study.
        reader: whose list is returned.
        has_read: by image id, the ids of readers with an effective blind reading. They keep the
        image when readers are added, so that it does not get a reading too many.
        has_seen: by image id, the ids of readers who have seen what the model or others say of the
        image. Those without a reading of it cannot read it blind, and do not get it.

    A retired reader keeps the images that were read; the others are assigned to the other readers.
    """
    if Role.READER not in reader.roles:
        return ()
    image_ids = [image.image_id for image in images]
    of = {r.reader_id: r for r in (*readers, reader) if Role.READER in r.roles}
    done, seen = has_read or {}, has_seen or {}
    if reader.is_retired:
        mine = [one for one in image_ids if reader.reader_id in done.get(one, ())]
    else:
        everyone = sorted(of)
        read, shown = (_pairs(pairs, image_ids, everyone) for pairs in (done, seen))
        scores = _scores(study, image_ids, everyone)
        scores[:, [of[one].is_retired for one in everyone]] = 0  # last, but for what they read
        column = everyone.index(reader.reader_id)
        mine = _shared_out(study, image_ids, scores, column, read, barred=shown & ~read)
    placed = sorted(_placed(study, reader.reader_id, mine))
    spaced = _spaced([(image_id, occasion) for _, image_id, occasion in placed])
    return tuple(
        Showing(showing_id(study, reader.reader_id, image_id, occasion), image_id, occasion)
        for image_id, occasion in spaced
    )


def _pairs(
    of: Mapping[str, Collection[int]], image_ids: list[str], everyone: list[int]
) -> NDArray[np.bool_]:
    """Return whether an image has a reader in `of`, shape (images, readers)."""
    row = {one: n for n, one in enumerate(image_ids)}
    column = {one: n for n, one in enumerate(everyone)}
    found = np.zeros((len(image_ids), len(everyone)), np.bool_)
    for image_id, reader_ids in of.items():
        if image_id in row:
            found[row[image_id], [column[one] for one in reader_ids if one in column]] = True
    return found


def _shared_out(
    study: AnnotationStudy,
    image_ids: list[str],
    scores: NDArray[np.uint64],
    column: int,
    read: NDArray[np.bool_],
    *,
    barred: NDArray[np.bool_],
) -> list[str]:
    """Return one reader's images: those for which the reader is among the highest scores.

    Args:
        study: has the readings per image.
        image_ids: the rows of the arrays.
        scores: hashes, shape (images, readers); changed here.
        column: the reader's.
        read: who has read an image, of the same shape.
        barred: who cannot read it blind, of the same shape.
    """
    is_mine = ~barred[:, column]
    if scores.shape[1] > study.readings_per_image:
        scores[barred] = 0
        scores[read] |= _READ
        before_him = (scores > scores[:, [column]]).sum(axis=1)
        is_mine &= before_him < study.readings_per_image
    return [image_ids[row] for row in np.flatnonzero(is_mine)]


def _scores(
    study: AnnotationStudy, image_ids: list[str], everyone: list[int]
) -> NDArray[np.uint64]:
    """Return a hash of each image and reader, shape (images, readers), below _READ.

    One hash of each image and of each reader, mixed as in SplitMix64, since a keyed hash of every
    pair takes a second for ten thousand images and twenty readers.
    """
    of_images, of_readers = (
        np.array([int.from_bytes(_hash(study, "reads", one)) for one in ones], np.uint64)
        for ones in (image_ids, everyone)
    )
    mixed = of_images[:, None] ^ of_readers
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (mixed ^ (mixed >> np.uint64(31))) >> np.uint64(1)


def _placed(
    study: AnnotationStudy, reader_id: int, image_ids: list[str]
) -> Iterable[tuple[float, str, int]]:
    """Return each showing with its position from 0 to 1; a repeat is anywhere after the first."""
    for image_id in image_ids:
        first = _share(_hash(study, "order", reader_id, image_id))
        yield first, image_id, 0
        if _share(_hash(study, "repeats", reader_id, image_id)) < study.repeat_share:
            behind = _share(_hash(study, "repeat order", reader_id, image_id))
            yield first + (1 - first) * behind, image_id, 1


def _spaced(placed: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Move each repeat to at least REPEAT_GAP after the first showing, or to the end."""
    spaced: list[tuple[str, int]] = []
    first: dict[str, int] = {}
    held: list[str] = []  # in the order of their first showings, so that the first is due first
    for image_id, occasion in placed:
        if occasion:
            held.append(image_id)
            held.sort(key=first.__getitem__)
        else:
            first[image_id] = len(spaced)
            spaced.append((image_id, 0))
        while held and len(spaced) - first[held[0]] >= REPEAT_GAP:
            spaced.append((held.pop(0), 1))
    return spaced + [(image_id, 1) for image_id in held]


def _share(digest: bytes) -> float:
    """Return a number from 0 to below 1; of 53 bits, since 64 could be rounded up to 1."""
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def _hash(study: AnnotationStudy, purpose: str, *parts: object) -> bytes:
    key = blake2b(f"{study.study_id}\0{study.seed}".encode(), digest_size=32).digest()
    said = "\0".join([purpose, *map(str, parts)]).encode()
    return blake2b(said, key=key, digest_size=8).digest()
