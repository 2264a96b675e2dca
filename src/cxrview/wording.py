"""Numbers with nouns in messages: `1 file`, `2 files`."""

import re


def plural(count: int, noun: str, many: str = "", *, form: str = "") -> str:
    """Write a number with its noun, in the singular for one.

    Args:
        count: of the things, 0 or more.
        noun: singular, with other words that depend on the number: `image`, `file was`.
        many: plural, unless it is `noun` with an s: `files were`.
        form: format of the number, as for `format`: `,` separates thousands.

    Returns:
        Such as `1 image`, `0 images`, `2 files were`.
    """
    return f"{count:{form}} {noun if count == 1 else many or noun + 's'}"


def counted(count: int, nouns: str, *, form: str = "") -> str:
    """Write a number with its noun, given in the plural.

    Args:
        count: of the things, 0 or more.
        nouns: such as `files found`; for one, the first word that ends in s loses it.
        form: format of the number, as for `format`.

    Returns:
        Such as `1 file found`, `2 files found`.
    """
    return plural(count, re.sub(r"s\b", "", nouns, count=1), nouns, form=form)
