"""Read a TOML file into frozen dataclasses, with errors that name the line and the key."""

import dataclasses
import difflib
import re
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from cxrview.errors import UsageError

Key = tuple[str | int, ...]
"""Where a value stands, as ("destinations", "pacs", "port") or ("rules", 0, "modality")."""
T = TypeVar("T")
_ASSIGNMENT = re.compile(
    r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_TABLE = re.compile(r"\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(#.*)?$")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")


class TomlFile:
    """A TOML file with the line of each key.

    Args:
        path: of the file.

    Raises:
        UsageError: it cannot be read, or is not TOML.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            text = path.read_text(encoding="utf-8")
            self.values: dict[str, Any] = tomllib.loads(text)
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise UsageError(f"{path} is not UTF-8", "Save it as UTF-8") from error
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"{path} is not TOML: {error}") from error
        except RecursionError as error:
            raise UsageError(f"{path} is nested too deep") from error
        self._lines = key_lines(text)

    def error(self, key: Key, reason: str) -> UsageError:
        """The error for a key, or a key that is missing."""
        line = next(
            (self._lines[key[:n]] for n in range(len(key), 0, -1) if key[:n] in self._lines), 1
        )
        return UsageError(f"{self.path}, line {line}: {dotted(key)}: {reason}")

    def read(self, kind: type[T], values: object, key: Key = ()) -> T:
        """Read a table into a dataclass, whose fields are the keys.

        A field without a default must be given. The dataclass raises ValueError for values that do
        not fit together, or `FieldError` to name one of them.

        Args:
            kind: the dataclass. Its fields may be text, numbers, booleans, paths, enumerations,
                tuples of these, optional ones, dataclasses, and mappings or tuples of dataclasses.
            values: from the file.
            key: of the table.

        Raises:
            UsageError: naming line and key.
        """
        if not isinstance(values, dict):
            raise self.error(key, "a table is expected")
        hints = typing.get_type_hints(kind)
        fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
        for name in values:
            if name not in fields:
                raise self.error((*key, name), _unknown(name, list(fields)))
        for name, field in fields.items():
            if name not in values and _needs_value(field):
                raise self.error((*key, name), "is missing")
        read = {
            name: self._value(hints[name], value, (*key, name)) for name, value in values.items()
        }
        try:
            return kind(**read)
        except FieldError as error:
            raise self.error((*key, error.field), error.reason) from error

    def _value(self, hint: Any, value: object, key: Key) -> Any:
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin in (typing.Union, types.UnionType):
            (hint,) = (one for one in arguments if one is not type(None))
            return self._value(hint, value, key)
        if origin is tuple:
            return self._tuple(arguments, value, key)
        if origin is not None and issubclass(origin, Mapping):
            if not isinstance(value, dict):
                raise self.error(key, "a table is expected")
            return {
                name: self._value(arguments[1], one, (*key, name)) for name, one in value.items()
            }
        if dataclasses.is_dataclass(hint):
            return self.read(typing.cast(type[Any], hint), value, key)
        return self._scalar(hint, value, key)

    def _tuple(self, arguments: Sequence[Any], value: object, key: Key) -> Any:
        if not isinstance(value, list):
            raise self.error(key, "a list in [brackets] is expected")
        is_pair = len(arguments) == 2 and arguments[1] is not Ellipsis
        if is_pair and len(value) != 2:
            raise self.error(key, "a list of two values is expected")
        return tuple(self._value(arguments[0], one, (*key, n)) for n, one in enumerate(value))

    def _scalar(self, hint: Any, value: object, key: Key) -> Any:
        if isinstance(hint, type) and issubclass(hint, Enum):
            names = [one.value for one in hint]
            if value not in names:
                raise self.error(key, f"is one of {', '.join(names)}")
            return hint(value)
        if hint is Path and isinstance(value, str) and value:
            return (self.path.parent / Path(value).expanduser()).absolute()
        if hint is float and type(value) is int:
            return float(value)
        if type(value) is not hint:
            raise self.error(key, f"{_WORDS.get(hint, hint)} is expected")
        return value


class FieldError(ValueError):
    """A value of a dataclass that is out of range.

    Args:
        field: name of the field.
        reason: what is wrong, as "is 1 to 65535".
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


_WORDS: dict[Any, str] = {
    str: 'a text in "quotes"',
    Path: 'a path in "quotes"',
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


def key_lines(text: str) -> dict[Key, int]:
    """Find the line, from 1, of each table and each assignment of a valid TOML text.

    Keys within an inline table have none of their own.
    """
    found: dict[Key, int] = {}
    table: Key = ()
    counts: dict[Key, int] = {}
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        line, number = lines[number], number + 1
        if named := _TABLE.match(line):
            table = _table_key(_parts(named[2]), counts, is_array=named[1] == "[[")
            found.setdefault(table, number)
        elif assigned := _ASSIGNMENT.match(line):
            found[(*table, *_parts(assigned[1]))] = number
            number = _end_of_value(lines, number)
    return found


def _table_key(parts: Key, counts: dict[Key, int], *, is_array: bool) -> Key:
    """The key of a table, with the numbers of the arrays of tables that it lies in."""
    key: Key = ()
    for position, part in enumerate(parts):
        key = (*key, part)
        if is_array and position == len(parts) - 1:
            counts[key] = counts.get(key, -1) + 1
        if key in counts:
            key = (*key, counts[key])
    return key


def _parts(dotted_key: str) -> Key:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted_key))


def _end_of_value(lines: Sequence[str], number: int) -> int:
    """The number of the last line of an assignment that begins on a line."""
    begin = number - 1
    for end in range(number, len(lines) + 1):
        try:
            tomllib.loads("\n".join(lines[begin:end]))
        except tomllib.TOMLDecodeError:
            continue
        return end
    return number


def dotted(key: Key) -> str:
    """A key as a person writes it: destinations.pacs.port, rules[1].modality."""
    text = ""
    for part in key:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def nearest(name: str, known: Sequence[str]) -> str:
    """The known name that is most like another; empty if none is like it."""
    return next(iter(difflib.get_close_matches(name, known, 1, 0.5)), "")


def _unknown(name: str, known: Sequence[str]) -> str:
    if near := nearest(name, known):
        return f"is not a known key. Did you mean {near}?"
    return f"is not a known key. Known keys: {', '.join(known)}"


def _needs_value(field: "dataclasses.Field[Any]") -> bool:
    missing = dataclasses.MISSING
    return field.default is missing and field.default_factory is missing
