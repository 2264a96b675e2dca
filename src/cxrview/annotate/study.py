"""Create an annotation study, parse its labels and roles, and find its images."""

import os
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cxrview.annotate.database.store import ReadingStore, create_readings
from cxrview.annotate.sample_images import Drawn
from cxrview.annotate.settle import EXCLUDED
from cxrview.errors import UnreadableImage, UsageError
from cxrview.image import open_image
from cxrview.records.annotation import AnnotationStudy, LabelChoice
from cxrview.results.columns import printable
from cxrview.sources.paths import local_path
from cxrview.terms import Role


def create_study(
    where: str,
    drawn: Drawn,
    readers: Sequence[tuple[str, frozenset[Role]]],
    *,
    name: str = "",
    choices: Sequence[LabelChoice] = (),
    seed: int = 0,
    readings_per_image: int = 2,
    repeat_share: float = 0.0,
) -> dict[str, str]:
    """Create a study with its images and readers.

    Returns:
        From each reader's name to the secret of their sign-in link, which is not stored.

    Raises:
        UsageError: a study exists there, or a value is not valid; then no study is created.
    """
    names = [who for who, _ in readers]
    if len(set(names)) < len(names):
        raise UsageError("two readers have the same name", "Name each reader once, with all roles")
    more = {"choices": tuple(choices)} if choices else {}
    try:
        study = AnnotationStudy(
            study_id=secrets.token_hex(16),
            name=name or ("study" if "://" in where else Path(where).stem),
            created=datetime.now(UTC),
            seed=seed,
            readings_per_image=readings_per_image,
            repeat_share=repeat_share,
            root=drawn.root,
            about=drawn.about,
            **more,
        )
    except ValueError as error:
        raise UsageError(str(error)) from error
    store = create_readings(where, study)
    try:
        store.add_images(drawn.images)
        return {who: store.add_reader(who, roles)[1] for who, roles in readers}
    except BaseException:
        _discard(where)
        raise
    finally:
        store.close()


def parse_choices(text: str) -> tuple[LabelChoice, ...]:
    """Parse a label set such as `frontal:f,lateral:l`; the default key is the first letter.

    Raises:
        UsageError: a key is not a letter or digit, or two labels have the same key.
    """
    choices = []
    for part in text.split(","):
        name, _, key = (piece.strip() for piece in part.partition(":"))
        key = (key or name[:1]).lower()
        if not name or not re.fullmatch("[a-z0-9]", key):
            raise UsageError(
                f"--labels {text}: {part.strip() or 'nothing'} is not a label with a key",
                "Write name:key, the key one letter or digit, such as PA:p,AP:a,lateral:l,other:o",
            )
        choices.append(LabelChoice(name=name, key=key))
    if any(choice.name.casefold() == EXCLUDED for choice in choices):
        raise UsageError(
            f"--labels {text}: {EXCLUDED} is the word for an image without a label in every table",
            "Leave it out: readers can exclude an image with any labels",
        )
    keys = [choice.key for choice in choices]
    if len(set(keys)) < len(keys):
        raise UsageError(
            f"--labels {text}: two labels have the same key", "Write name:key for each"
        )
    return tuple(choices)


def parse_roles(text: str) -> tuple[str, frozenset[Role]]:
    """Parse a reader such as `anna` or `ben:reader+adjudicator`.

    Raises:
        UsageError: a role does not exist.
    """
    name, _, roles = text.partition(":")
    try:
        held = frozenset(Role(role.strip()) for role in (roles or Role.READER).split("+"))
    except ValueError:
        raise UsageError(
            f"{text}: a role is reader, adjudicator or manager",
            "Write name, name:adjudicator or name:reader+adjudicator",
        ) from None
    return name.strip(), held


def _discard(where: str) -> None:
    """Remove the file of a study whose creation failed; a PostgreSQL database is not changed."""
    if "://" not in where:
        for ending in ("", "-wal", "-shm"):
            Path(where + ending).unlink(missing_ok=True)


def absolute_path(store: ReadingStore, path: str) -> str:
    """Return the absolute path of an image of the study; a URL unchanged."""
    return path if "://" in path else os.path.join(store.study.root, path)  # noqa: PTH118 (odd bytes)


_ASKED_AFAR = 3
"""Number of images to look for behind a URL, since each may take a request or a timeout."""


def set_root(store: ReadingStore, root: str) -> None:
    """Read a study's images from another folder while the study is open; the stored root stays.

    Args:
        store: of the study.
        root: local folder or fsspec URL that now holds the images of the study's root.

    Raises:
        UsageError: no image of the study is there, or the study has no relative paths.
    """
    if not root:
        raise UsageError("--root is empty", "Is a variable of the shell not set?")
    if not _names(store):
        raise UsageError(
            "--root is for studies with relative paths, and this study has none",
            "Leave it out: its images are URLs or absolute paths",
        )
    local = local_path(root)
    # Absolute, since links and tables are written to other folders than the working folder.
    store.study = replace(store.study, root=os.path.abspath(local) if local else root)  # noqa: PTH100 (odd bytes)
    if lack := missing_root_message(store):
        raise UsageError(lack, "Name the folder or URL that this path begins in")


def missing_root_message(store: ReadingStore) -> str:
    """Return a message if the study's root holds none of its images; empty if it holds one."""
    names, root = _names(store), store.study.root
    if "://" in root:
        is_there = any(_opens(absolute_path(store, name)) for name in names[:_ASKED_AFAR])
    else:
        is_there = any(os.path.isfile(absolute_path(store, name)) for name in names)  # noqa: PTH113 (odd bytes)
    if is_there or not names:
        return ""
    return f"no image of the study is in {printable(root)}, such as {printable(names[0])}"


def _names(store: ReadingStore) -> list[str]:
    """Return the paths that are relative to the root, in the study's order."""
    paths = (image.path for image in store.images())
    return [path for path in paths if "://" not in path and not os.path.isabs(path)]  # noqa: PTH117 (odd bytes)


def _opens(url: str) -> bool:
    # Opened, since many servers answer any request with a page.
    with suppress(UnreadableImage):
        open_image(url)
        return True
    return False
