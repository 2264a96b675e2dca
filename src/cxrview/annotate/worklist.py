"""What one reader is shown in the blind round, and in which order.

Nothing of it is stored: it follows by keyed hashes from the study's seed, so that it is the same
after every start, and images or readers that come later leave everybody's order as it was.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from heapq import nlargest

from cxrview.records import AnnotationStudy, Reader, StudyImage
from cxrview.terms import Role, Round

REPEAT_GAP = 10
"""Showings between an image and its hidden repeat, so that nobody remembers it; ours."""


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
    shown_in: Round = Round.BLIND,
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
    """
    if Role.READER not in reader.roles:
        return ()
    everyone = [r.reader_id for r in readers if Role.READER in r.roles]
    done = has_read or {}
    mine = [
        image.image_id
        for image in images
        if reader.reader_id in _readers_of(study, image.image_id, everyone, done)
    ]
    placed = sorted(_placed(study, reader.reader_id, mine))
    spaced = _spaced([(image_id, occasion) for _, image_id, occasion in placed])
    return tuple(
        Showing(showing_id(study, reader.reader_id, image_id, occasion), image_id, occasion)
        for image_id, occasion in spaced
    )


def _readers_of(
    study: AnnotationStudy,
    image_id: str,
    everyone: list[int],
    has_read: Mapping[str, Collection[int]],
) -> list[int]:
    """Those who read one image: who has read it, then the highest hashes."""
    if len(everyone) <= study.readings_per_image:
        return everyone
    done = has_read.get(image_id, ())
    return nlargest(
        study.readings_per_image,
        everyone,
        key=lambda reader_id: (reader_id in done, _hash(study, "reads", reader_id, image_id)),
    )


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
