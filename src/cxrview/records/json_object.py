"""Frozen dataclasses read from JSON objects, and written as the same objects again."""

import dataclasses
import types
import typing
from collections.abc import Hashable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

FLAT = types.MappingProxyType({"flat": True})
"""Metadata of a field whose record has its keys in the object of the record that holds it."""
OTHER = "other"
"""Name of the field, where a record has it, that keeps keys without a field of their own."""

T = TypeVar("T")


def from_json(kind: type[T], value: Any) -> T:
    """Make a record of a dataclass from a JSON object.

    Numbers keep the type that they have in the JSON, so that they are written as they were read.

    Args:
        kind: a dataclass. A field whose default is None may be missing from the object; a field
            with `metadata=FLAT` is read from the same object; a field named `other` gets what no
            other field takes.
        value: as `json.loads` gives it.

    Raises:
        ValueError: a key is missing, unknown or of the wrong type; the message names the key.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"{_words(value)} where an object is expected")
    left = dict(value)
    record = _take(kind, left)
    if left:
        raise ValueError(f"unknown key {next(iter(left))!r}")
    return record


def to_json(record: Any) -> dict[str, Any]:
    """Give the JSON object of a record, in the order of its fields.

    A field whose default is None is left out where it is None.
    """
    made: dict[str, Any] = {}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if field.name == OTHER:
            made |= value
        elif field.metadata.get("flat"):
            made |= to_json(value)
        elif value is not None or field.default is not None:
            made[field.name] = _plain(value)
    return made


def keys_of(kind: type[Any]) -> frozenset[str]:
    """The keys that a record's own fields take, without those of `other`."""
    types_ = _types(typing.cast(Hashable, kind))
    keys: set[str] = set()
    for field in dataclasses.fields(kind):
        if field.metadata.get("flat"):
            keys |= keys_of(types_[field.name])
        elif field.name != OTHER:
            keys.add(field.name)
    return frozenset(keys)


def _take(kind: type[T], left: dict[str, Any]) -> T:
    """Make a record of the keys that are its own, and remove these from `left`."""
    types_ = _types(typing.cast(Hashable, kind))
    values: dict[str, Any] = {}
    takes_other = False
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]  # T is a dataclass
        if field.name == OTHER:
            takes_other = True
        elif field.metadata.get("flat"):
            values[field.name] = _take(types_[field.name], left)
        elif field.name in left:
            values[field.name] = _value(types_[field.name], left.pop(field.name), field.name)
        elif field.default is dataclasses.MISSING:
            raise ValueError(f"no key {field.name!r}")
    if takes_other:
        values[OTHER] = dict(left)
        left.clear()
    return kind(**values)


@lru_cache
def _types(kind: Hashable) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _value(kind: Any, value: Any, key: str) -> Any:
    """One value as the type of its field; `key` is named where it is not of that type."""
    if kind is Any:
        return value
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else _value(arguments[0], value, key)
    if origin is tuple and isinstance(value, list | tuple):
        items = [arguments[0]] * len(value) if arguments[1:] == (...,) else list(arguments)
        if len(items) == len(value):
            return tuple(_value(item, one, key) for item, one in zip(items, value, strict=True))
    elif origin is not None and issubclass(origin, Mapping) and isinstance(value, Mapping):
        return {name: _value(arguments[1], one, f"{key}.{name}") for name, one in value.items()}
    elif dataclasses.is_dataclass(kind):
        try:
            return from_json(kind, value)  # type: ignore[arg-type]  # the class, not a record
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from error
    elif origin is None and _is_of(kind, value):
        return value
    raise ValueError(f"{key!r} is {_words(value)}")


def _is_of(kind: Any, value: Any) -> bool:
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, int | float if kind is float else kind)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_json(value)
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def _words(value: Any) -> str:
    """A JSON type in words, without the value."""
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "an integer", float: "a number", str: "a text"}
    return names.get(type(value), "a list" if isinstance(value, list | tuple) else "an object")
