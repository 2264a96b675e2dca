"""What one reader is shown in the blind round, and in which order.

Nothing of it is stored: it follows by keyed hashes from the study's seed, so that it is the same
after every start, and images or readers that come later leave everybody's order as it was.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from cxrview.records import AnnotationStudy, Reader, StudyImage
from cxrview.terms import ReadingRound, Role

REPEAT_GAP = 10
"""Showings between an image and its hidden repeat, so that nobody remembers it; ours."""
_READ = np.uint64(2**63)
"""Above every hash: who has read an image stands before all who have not."""


@dataclass(frozen=True, slots=True)
class Showing:
    """One image before one reader."""

    showing_id: str
    """16 hexadecimal digits. All that the browser learns: neither that an image comes twice nor
    that two readers see the same can be told from it."""
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
    """Name one image before one reader, by a hash that only the study can make."""
    return _hash(study, "showing", reader_id, image_id, occasion, shown_in).hex()


def worklist(
    study: AnnotationStudy,
    images: Iterable[StudyImage],
    readers: Iterable[Reader],
    reader: Reader,
    *,
    has_read: Mapping[str, Collection[int]] | None = None,
) -> tuple[Showing, ...]:
    """All that a reader is to read, in the reader's own order; nothing for who only adjudicates.

    With more readers than `readings_per_image` each image goes to so many of them, by rendezvous
    hashing: a reader who comes later takes over an even share of what the others have.

    Args:
        study: gives seed, readings an image and share of repeats.
        images: all of the study.
        readers: all of the study.
        reader: whose list it is.
        has_read: by image id the ids of readers whose blind reading of it stands. They keep
            their image when readers come later, so that it does not get a reading too many.

    A retired reader keeps what was read and is given nothing more: the rest of that share goes to
    the others.
    """
    if Role.READER not in reader.roles:
        return ()
    image_ids = [image.image_id for image in images]
    of = {r.reader_id: r for r in (*readers, reader) if Role.READER in r.roles}
    done = has_read or {}
    if reader.is_retired:
        mine = [one for one in image_ids if reader.reader_id in done.get(one, ())]
    else:
        retired = {number for number, one in of.items() if one.is_retired}
        mine = _shared_out(study, image_ids, sorted(of), retired, reader.reader_id, done)
    placed = sorted(_placed(study, reader.reader_id, mine))
    spaced = _spaced([(image_id, occasion) for _, image_id, occasion in placed])
    return tuple(
        Showing(showing_id(study, reader.reader_id, image_id, occasion), image_id, occasion)
        for image_id, occasion in spaced
    )


def _shared_out(
    study: AnnotationStudy,
    image_ids: list[str],
    everyone: list[int],
    retired: Collection[int],
    reader_id: int,
    has_read: Mapping[str, Collection[int]],
) -> list[str]:
    """One reader's images: which of all readers are its readers, each image's hashes say."""
    if len(everyone) <= study.readings_per_image:
        return image_ids
    scores = _scores(study, image_ids, everyone)
    column = {one: n for n, one in enumerate(everyone)}
    scores[:, [column[one] for one in retired]] = 0  # behind all others, but for what they read
    read = [
        (row, column[done])
        for row, image_id in enumerate(image_ids)
        for done in has_read.get(image_id, ())
        if done in column
    ]
    if read:
        scores[tuple(np.array(read).T)] |= _READ
    own = scores[:, column[reader_id]]
    before_him = (scores > own[:, None]).sum(axis=1)
    return [image_ids[row] for row in np.flatnonzero(before_him < study.readings_per_image)]


def _scores(
    study: AnnotationStudy, image_ids: list[str], everyone: list[int]
) -> NDArray[np.uint64]:
    """Shape (images, readers): a hash of both, below _READ.

    A hash of each, mixed as the generator SplitMix64 does: a keyed hash of every pair takes a
    second for ten thousand images and twenty readers.
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
    """Each showing with its place from 0 to 1; a repeat lies anywhere after the first."""
    for image_id in image_ids:
        first = _share(_hash(study, "order", reader_id, image_id))
        yield first, image_id, 0
        if _share(_hash(study, "repeats", reader_id, image_id)) < study.repeat_share:
            behind = _share(_hash(study, "repeat order", reader_id, image_id))
            yield first + (1 - first) * behind, image_id, 1


def _spaced(placed: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Hold each repeat back until REPEAT_GAP lies before it, or to the end."""
    spaced: list[tuple[str, int]] = []
    first: dict[str, int] = {}
    held: list[str] = []  # in the order of their first showings, so that the front is ready first
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
    """From 0 to below 1; 53 bits, since 64 would be rounded up to 1 at times."""
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def _hash(study: AnnotationStudy, purpose: str, *parts: object) -> bytes:
    key = blake2b(f"{study.study_id}\0{study.seed}".encode(), digest_size=32).digest()
    said = "\0".join([purpose, *map(str, parts)]).encode()
    return blake2b(said, key=key, digest_size=8).digest()
