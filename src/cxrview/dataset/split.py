"""Divides labelled images into training, validation and test, and refuses splits that leak."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from cxrview.digests import file_sha256, shuffle_key
from cxrview.errors import UsageError
from cxrview.records.dataset import Split
from cxrview.terms import Partition
from cxrview.wording import plural

PAPER_COUNTS = (1129, 376, 377)
"""Training, validation and test images (paper, section 1)."""
SHARES = (60, 20, 20)
"""The same in percent."""
_GIVEN_BACK, _LOOKED_AT = 16, 64
"""Patients at the border of a partition among whom the best fit is searched: sixteen that were
in, sixty-four that were out. Seldom more than one or two have to be exchanged."""
_FAULTS_NAMED = 10


class HasPatient(Protocol):
    """An image with a file and a patient: a `Label` or a `PreparedImage`."""

    @property
    def file(self) -> str:
        """The image's id."""

    @property
    def patient(self) -> str:
        """The patient's id; may be empty."""


RULE = (
    "SHA-256 of the patient's name modulo 10: 0-5 training, 6-7 validation, 8-9 test "
    "(cxrview.dataset.partition)"
)
"""The rule of `partition_of` in words, for model cards; older cards have the same text."""


def partition_of(patient: str) -> Partition:
    """Assign a patient to a partition permanently: SHA-256 of the name, as a number, modulo 10.

    0 to 5 are training, 6 and 7 validation, 8 and 9 test. It depends on nothing else, so that no
    later run can move a patient from test to training.

    Args:
        patient: as in the labels file, not empty.

    Raises:
        ValueError: an empty name, which unrelated images would share.
    """
    if not patient:
        raise ValueError("a patient without a name has no partition")
    digit = int.from_bytes(hashlib.sha256(patient.encode()).digest()) % 10
    if digit <= 5:
        return Partition.TRAINING
    return Partition.VALIDATION if digit <= 7 else Partition.TEST


def split_images(
    images: Iterable[HasPatient],
    *,
    by: str = "patient",
    shares: Sequence[Fraction | float] = SHARES,
    counts: Sequence[int] | None = None,
    seed: int = 0,
) -> Split:
    """Assign a partition to every image, by names and seed, independent of the order of rows.

    Args:
        images: with different file names.
        by: `patient` keeps the images of a patient together and comes as close to the sizes as
            that allows, first for training, then for validation; the rest is test. `image` is
            the paper's way and meets the sizes exactly. `rule` is the published rule of
            `partition_of`, without sizes and seed.
        shares: of training, validation and test in percent, with the sum 100. Fractions of an
            image go to the last, as in the paper: 60, 20, 20 of 1,882 are 1,129, 376 and 377.
        counts: images in training, validation and test, instead of shares. If their sum is less
            than the number of images, the rest is left out at random.
        seed: of the random order.

    Raises:
        UsageError: sizes that cannot be met, a partition that would be empty, or an image without
            a patient in a split by patient or rule.

    Source:
        Paper, section 1. Ours: by patient as the default, so that nothing leaks.
    """
    check_split_by(by)
    owned = list(images)
    if by in ("patient", "rule"):
        _need_patients(owned, by)
    if by == "rule":
        return Split(partitions=_sorted({i.file: partition_of(i.patient) for i in owned}), by=by)
    targets = _targets(len(owned), shares, counts)
    groups = {image.file: [image.file] for image in owned} if by == "image" else _by_patient(owned)
    order = sorted(groups, key=lambda name: shuffle_key(seed, name))
    return Split(partitions=_sorted(_assign(order, groups, targets)), by=by, seed=seed)


def check_split_by(by: str) -> None:
    """Refuse a kind of split that `split_images` does not have.

    Raises:
        UsageError: `by` is not patient, image or rule.
    """
    if by not in ("patient", "image", "rule"):
        raise UsageError(f"a split is by patient, by image or by rule; got {by}")


def check_split(split: Split, images: Iterable[HasPatient], content: Mapping[str, str]) -> None:
    """Refuse a split in which images of one partition leak into another.

    Every stage calls it on its split, which may come from elsewhere.

    Args:
        split: images that it does not name are left out of the study.
        images: with the patients of labels or store, not of the split.
        content: a hash of the content by file: `Prepared.content`, or `hash_files`.

    Raises:
        UsageError: an image of the split is not among `images`; the same picture is in different
            partitions under two names; or, unless the split is by image, two images of one
            patient are in different partitions or an image has no patient. The message names
            the files of the first ten and the number of others, never a patient.
    """
    images = list(images)
    if split.by != "image":
        _need_patients([image for image in images if image.file in split.partitions], split.by)
    of_patient: dict[str, str] = {}
    of_picture: dict[str, str] = {}
    unknown = dict.fromkeys(split.partitions)
    faults = []
    for image in images:
        if image.file not in split.partitions:
            continue
        unknown.pop(image.file, None)
        if split.by != "image":
            first = of_patient.setdefault(image.patient, image.file)
            faults += _leak("one patient", first, image.file, split)
        first = of_picture.setdefault(content[image.file], image.file)
        faults += _leak("the same picture", first, image.file, split)
    faults = [f"{file} is not among the images" for file in unknown] + faults
    if faults:
        more = len(faults) - _FAULTS_NAMED
        tail = f"; and {more} more" if more > 0 else ""
        raise UsageError(
            f"the split is refused: {'; '.join(faults[:_FAULTS_NAMED])}{tail}",
            "Put such images into one partition, or remove one of each pair from the labels",
        )


def _need_patients(images: Sequence[HasPatient], by: str) -> None:
    """Refuse a split by patient or rule if an image has no patient."""
    if unknown := sum(not image.patient.strip() for image in images):
        of = f"of {plural(len(images), 'image')}"
        raise UsageError(
            f"{plural(unknown, f'{of} has', f'{of} have')} no patient, which a split by {by} needs",
            "Use cxrview prepare --patient-column or --patient-pattern, or cxrview split --by "
            "image: then images of one patient may be in both training and test, and the accuracy "
            "on test images is too high",
        )


def hash_files(images: Iterable[HasPatient], folder: Path) -> dict[str, str]:
    """Compute the SHA-256 of every file, where no prepared store has that of its pixels.

    It finds copies of a file; only a store finds the same picture in another format.

    Raises:
        UsageError: a file cannot be read.
    """
    hashes = {}
    for image in images:
        try:
            hashes[image.file] = file_sha256(folder / image.file)
        except OSError as error:
            raise UsageError(f"{image.file} cannot be read: {error.strerror}") from error
    return hashes


def _sorted(partitions: Mapping[str, Partition]) -> dict[str, Partition]:
    return dict(sorted(partitions.items()))


def _targets(
    images: int, shares: Sequence[Fraction | float], counts: Sequence[int] | None
) -> list[int]:
    if len(shares if counts is None else counts) != len(Partition):
        raise UsageError("there are three sizes: of training, validation and test")
    if counts is not None:
        if min(counts) < 0 or not 0 < sum(counts) <= images:
            raise UsageError(f"counts are 0 or more, with a sum of 1 to {images}")
        return list(counts)
    exact = [Fraction(str(share)) for share in shares]  # 0.1 as a float is not exactly a tenth
    if min(exact) < 0 or sum(exact) != 100:
        raise UsageError("shares are in percent, with a sum of 100")
    training, validation = (int(images * share / 100) for share in exact[:2])
    targets = [training, validation, images - training - validation]
    if any(share and not target for share, target in zip(exact, targets, strict=True)):
        raise UsageError(f"{plural(images, 'image is', 'images are')} too few for three partitions")
    return targets


def _by_patient(images: Iterable[HasPatient]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for image in images:
        groups.setdefault(image.patient, []).append(image.file)
    return groups


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
            raise UsageError(f"there are too few patients for the {partition} partition")
        assigned |= {file: partition for name in taken for file in groups[name]}
        is_taken = set(taken)
        order = [name for name in order if name not in is_taken]
    return assigned


def _fill(order: list[str], sizes: Mapping[str, int], target: int) -> list[str]:
    """Take names in order while they fit; then exchange some at the border for the best fit."""
    taken, passed = [], []
    left = target
    for name in order:
        if sizes[name] <= left:
            taken.append(name)
            left -= sizes[name]
        else:
            passed.append(name)
    if left == 0:
        return taken
    kept, border = taken[:-_GIVEN_BACK], taken[-_GIVEN_BACK:] + passed[:_LOOKED_AT]
    return kept + _nearest(border, sizes, target - sum(sizes[name] for name in kept))


def _nearest(names: list[str], sizes: Mapping[str, int], target: int) -> list[str]:
    """Find names, at least one, with the sum of sizes nearest to `target`; if equal, smaller."""
    if not names:
        return []
    reached = [1]  # bit k of reached[n]: some of the first n names sum to k
    for name in names:
        reached.append(reached[-1] | reached[-1] << sizes[name])
    sums = [k for k in range(1, reached[-1].bit_length()) if reached[-1] >> k & 1]
    best = min(sums, key=lambda k: (abs(k - target), k))
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
