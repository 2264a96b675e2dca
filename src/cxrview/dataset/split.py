"""Divides a labelled set into training, validation and test, and refuses what leaks between."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from cxrview.errors import UsageError
from cxrview.records import Split
from cxrview.terms import Partition
from cxrview.wording import plural

PAPER_COUNTS = (1129, 376, 377)
"""Training, validation and test images (paper, section 1)."""
SHARES = (60, 20, 20)
"""The same in percent."""
_GIVEN_BACK, _LOOKED_AT = 16, 64
"""Patients at the border of a partition among whom the nearest fit is sought: sixteen that were
in, sixty-four that were out. Sets of whole patients seldom need more than one or two of them."""
_FAULTS_NAMED = 10


class Owned(Protocol):
    """An image of which only this much matters here: a `Label` or a `PreparedImage`."""

    @property
    def file(self) -> str:
        """The image's id."""

    @property
    def patient(self) -> str:
        """Whose it is."""


def split_images(
    images: Iterable[Owned],
    *,
    by: str = "patient",
    shares: Sequence[Fraction | float] = SHARES,
    counts: Sequence[int] | None = None,
    seed: int = 0,
) -> Split:
    """Assign every image a partition; it depends on names and seed, not on the order of rows.

    Args:
        images: with a file name each of its own.
        by: `patient` keeps a patient's images together, and gets as near to the sizes asked for
            as whole patients allow, training first, then validation; the rest is test. `image`
            is the paper's way and meets the sizes exactly. `rule` is the published rule of
            `partition_of`, which takes no sizes and no seed.
        shares: of training, validation and test in percent, together 100. Fractions of an image
            fall to the last, as in the paper: 60, 20, 20 of 1,882 are 1,129, 376 and 377.
        counts: images in training, validation and test, in place of shares. Where they come to
            fewer than there are, the rest is left out, drawn by the same seed.
        seed: another one gives another split.

    Raises:
        UsageError: sizes that cannot be met, or a partition that would stay empty; or, unless by
            image, an image of which nobody knows the patient.

    Source:
        Paper, section 1. Ours: by patient unless asked otherwise, so that nothing leaks.
    """
    owned = list(images)
    if by in ("patient", "rule"):
        _refuse_unowned(owned, by)
    if by == "rule":
        return Split(partitions=_sorted({i.file: partition_of(i.patient) for i in owned}), by=by)
    targets = _targets(len(owned), shares, counts)
    if by == "image":
        groups = {image.file: [image.file] for image in owned}
    elif by == "patient":
        groups = _by_patient(owned)
    else:
        raise UsageError(f"a split is by patient, by image or by rule; got {by}")
    order = sorted(groups, key=lambda name: _drawn(seed, name))
    return Split(partitions=_sorted(_assign(order, groups, targets)), by=by, seed=seed)


def check_split(split: Split, images: Iterable[Owned], content: Mapping[str, str]) -> None:
    """Refuse a split through which what is known of one partition leaks into another.

    Every stage calls it on the split that it is given, whoever made that.

    Args:
        split: an image of `images` without a partition in it is left out of the study.
        images: whose images they are, as labels or store say, not the split.
        content: file to a hash of what it shows: `Prepared.content`, or `hash_files`.

    Raises:
        UsageError: an image of the split is not among `images`; or, unless the split is by image,
            two images of one patient are in different partitions; or the same picture is in
            different partitions under two names. The message names the files of the first ten
            and how many more there are, never a patient. Likewise, unless it is by image, a split
            of images of which nobody knows the patient.
    """
    images = list(images)
    if split.by != "image":
        _refuse_unowned([image for image in images if image.file in split.partitions], split.by)
    of_patient: dict[str, str] = {}
    of_picture: dict[str, str] = {}
    strangers = dict.fromkeys(split.partitions)
    faults = []
    for image in images:
        if image.file not in split.partitions:
            continue
        strangers.pop(image.file, None)
        if split.by != "image":
            first = of_patient.setdefault(image.patient, image.file)
            faults += _leak("one patient", first, image.file, split)
        first = of_picture.setdefault(content[image.file], image.file)
        faults += _leak("the same picture", first, image.file, split)
    faults = [f"{file} is not among the images" for file in strangers] + faults
    if faults:
        more = len(faults) - _FAULTS_NAMED
        tail = f"; and {more} more" if more > 0 else ""
        raise UsageError(
            f"the split is refused: {'; '.join(faults[:_FAULTS_NAMED])}{tail}",
            "Put such images into one partition, or take one of each pair out of the labels",
        )


def _refuse_unowned(images: Sequence[Owned], by: str) -> None:
    """Refuse a split that keeps patients together where some image's patient is not known."""
    if unknown := sum(not image.patient.strip() for image in images):
        of = f"of {plural(len(images), 'image')}"
        raise UsageError(
            f"{plural(unknown, f'{of} has', f'{of} have')} no patient, which a split by {by} needs",
            "Tell patients by cxrview prepare --patient-column or --patient-pattern, or take "
            "cxrview split --by image: then images of one patient may be in training and in test, "
            "and a test looks better than it is",
        )


def hash_files(images: Iterable[Owned], folder: Path) -> dict[str, str]:
    """SHA-256 of every file's bytes, where no prepared store knows that of its pixels.

    It tells copies; the same picture in another format only a store tells.

    Raises:
        UsageError: a file cannot be read.
    """
    hashes = {}
    for image in images:
        try:
            with (folder / image.file).open("rb") as file:
                hashes[image.file] = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise UsageError(f"{image.file} cannot be read: {error.strerror}") from error
    return hashes


def _sorted(partitions: Mapping[str, Partition]) -> dict[str, Partition]:
    return dict(sorted(partitions.items()))


def _targets(
    images: int, shares: Sequence[Fraction | float], counts: Sequence[int] | None
) -> list[int]:
    if len(shares if counts is None else counts) != len(Partition):
        raise UsageError("sizes are three: of training, validation and test")
    if counts is not None:
        if min(counts) < 0 or not 0 < sum(counts) <= images:
            raise UsageError(f"counts are 0 or more and come to {images}, or fewer, in all")
        return list(counts)
    exact = [Fraction(str(share)) for share in shares]  # 0.1 as a float is not a tenth
    if min(exact) < 0 or sum(exact) != 100:
        raise UsageError("shares are in percent and come to 100")
    training, validation = (int(images * share / 100) for share in exact[:2])
    targets = [training, validation, images - training - validation]
    if any(share and not target for share, target in zip(exact, targets, strict=True)):
        raise UsageError(f"{plural(images, 'image is', 'images are')} too few for three partitions")
    return targets


def _by_patient(images: Iterable[Owned]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for image in images:
        groups.setdefault(image.patient, []).append(image.file)
    return groups


def _drawn(seed: int, name: str) -> tuple[bytes, str]:
    """A place in line by chance: the same on every machine and for every order of rows."""
    return hashlib.sha256(f"{seed}\n{name}".encode()).digest(), name


def _assign(
    order: list[str], groups: Mapping[str, list[str]], targets: list[int]
) -> dict[str, Partition]:
    sizes = {name: len(files) for name, files in groups.items()}
    is_all = sum(targets) == sum(sizes.values())
    assigned: dict[str, Partition] = {}
    for partition, target in zip(Partition, targets, strict=True):
        is_rest = is_all and partition is Partition.TEST
        taken = order if is_rest else _fill(order, sizes, target)
        if target and not taken:
            raise UsageError(f"there are too few patients for images in {partition}")
        assigned |= {file: partition for name in taken for file in groups[name]}
        is_taken = set(taken)
        order = [name for name in order if name not in is_taken]
    return assigned


def _fill(order: list[str], sizes: Mapping[str, int], room: int) -> list[str]:
    """Take in turn who fits; then exchange some at the border for the nearest fit."""
    taken, passed = [], []
    left = room
    for name in order:
        if sizes[name] <= left:
            taken.append(name)
            left -= sizes[name]
        else:
            passed.append(name)
    if left == 0:
        return taken
    kept, border = taken[:-_GIVEN_BACK], taken[-_GIVEN_BACK:] + passed[:_LOOKED_AT]
    return kept + _nearest(border, sizes, room - sum(sizes[name] for name in kept))


def _nearest(names: list[str], sizes: Mapping[str, int], room: int) -> list[str]:
    """The names, at least one, whose sizes sum as near to `room` as any do; of equals, below."""
    if not names:
        return []
    reached = [1]  # bit k of reached[n]: some of the first n names sum to k
    for name in names:
        reached.append(reached[-1] | reached[-1] << sizes[name])
    sums = [k for k in range(1, reached[-1].bit_length()) if reached[-1] >> k & 1]
    best = min(sums, key=lambda k: (abs(k - room), k))
    taken = []
    for number in range(len(names), 0, -1):
        if not reached[number - 1] >> best & 1:
            taken.append(names[number - 1])
            best -= sizes[names[number - 1]]
    return taken[::-1]


def _leak(what: str, first: str, second: str, split: Split) -> list[str]:
    one, other = split.partitions[first], split.partitions[second]
    if one is other:
        return []
    return [f"{what} in two partitions: {first} ({one}) and {second} ({other})"]


RULE = (
    "SHA-256 of the patient's name modulo 10: 0-5 training, 6-7 validation, 8-9 test "
    "(cxrview.dataset.partition)"
)
"""The rule in words, for cards and tables."""


def partition_of(patient: str) -> Partition:
    """Assign a patient for ever: SHA-256 of the name, as a number, modulo 10.

    0 to 5 are training, 6 and 7 validation, 8 and 9 test. It depends on nothing else, so
    that no later run can move a patient from test to training.

    Args:
        patient: the patient's name in the labels file, not empty.

    Raises:
        ValueError: an empty name, which would put unrelated images together.
    """
    if not patient:
        raise ValueError("a patient without a name belongs to no partition")
    digit = int.from_bytes(hashlib.sha256(patient.encode()).digest()) % 10
    if digit <= 5:
        return Partition.TRAINING
    return Partition.VALIDATION if digit <= 7 else Partition.TEST
