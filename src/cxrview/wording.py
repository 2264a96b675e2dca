"""How a message counts: `1 file`, `2 files`."""

import re


def plural(count: int, noun: str, many: str = "", *, form: str = "") -> str:
    """Write a number with its noun, in the singular for one.

    Args:
        count: of the things, 0 or more.
        noun: for one of them, with what else depends on the number: `image`, `file was`.
        many: for any other number, where it is more than `noun` and an s: `files were`.
        form: how the number is written, as for `format`: `,` sets off the thousands.

    Returns:
        Such as `1 image`, `0 images`, `2 files were`.
    """
    return f"{count:{form}} {noun if count == 1 else many or noun + 's'}"


def counted(count: int, nouns: str, *, form: str = "") -> str:
    """Write a number with what is counted, of which only the plural is known.

    Args:
        count: of the things, 0 or more.
        nouns: such as `files found`; for one, the first word that ends in s loses it.
        form: how the number is written, as for `format`.

    Returns:
        Such as `1 file found`, `2 files found`.
    """
    return plural(count, re.sub(r"s\b", "", nouns, count=1), nouns, form=form)
