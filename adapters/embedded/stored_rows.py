"""Rows read with the types that they are stored with: SQLite may hold any value in any column, for `verify` to find."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, TypeVar

from adapters.embedded.schema import Column
from adapters.log.times import EPOCH, from_microseconds

T = TypeVar("T")

TYPES: Final[dict[str, type]] = {"INTEGER": int, "REAL": float, "TEXT": str, "BLOB": bytes}
EMPTY: Final[dict[str, Any]] = {"INTEGER": 0, "REAL": 0.0, "TEXT": ""}


class GarbledText(str):
    """Stored text that is not UTF-8, its wrong bytes escaped."""

    __slots__ = ()


def read_leniently(connection: sqlite3.Connection, read: Callable[[], T]) -> T:
    """Return what a function reads, text that is not UTF-8 as `GarbledText`; as fast as usual where all is."""
    try:
        return read()
    except (sqlite3.OperationalError, UnicodeDecodeError):  # either says that a text cannot be decoded
        with lenient_text(connection):
            return read()


@contextmanager
def lenient_text(connection: sqlite3.Connection) -> Iterator[None]:
    """Read text that is not UTF-8 as `GarbledText`, where sqlite3 would fail."""
    connection.text_factory = _text
    try:
        yield
    finally:
        connection.text_factory = str


def _text(stored: bytes) -> str:
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return GarbledText(stored, "utf-8", "backslashreplace")


class RowReader:
    """Checks rows of these columns; a row may end before the newest columns."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._types = [TYPES[column.type] for column in columns]
        self._lengths = [(at, column.length) for at, column in enumerate(columns) if column.length]

    def read(self, row: Sequence[Any]) -> tuple[Sequence[Any], list[str]]:
        """Return values of the columns' types, and what is stored otherwise: "has text of 4 bytes as at"."""
        if list(map(type, row)) == self._types:
            for at, length in self._lengths:
                if len(row[at]) != length:
                    break
            else:
                return row, []
        values, faults = list(row), list[str]()
        for at, (value, column) in enumerate(zip(row, self._columns, strict=False)):
            if type(value) is not TYPES[column.type] or (column.length and len(row[at]) != column.length):
                faults.append(f"has {_kind(value)} as {column.name}")
                garbled = isinstance(value, GarbledText) and column.type == "TEXT"
                values[at] = str(value) if garbled else EMPTY.get(column.type, bytes(column.length or 0))
        return values, faults


def to_moment(microseconds: int, faults: list[str]) -> datetime:
    """Return a time; one that Python cannot hold becomes a fault of column `at`."""
    try:
        return from_microseconds(microseconds)
    except OverflowError:
        faults.append("has no time that can be as at")
        return EPOCH


def _kind(value: Any) -> str:
    if isinstance(value, GarbledText):
        return "text that is not UTF-8"
    if isinstance(value, str):
        return f"text of {len(value.encode())} bytes"
    if isinstance(value, bytes):
        return f"a blob of {len(value)} bytes"
    return "nothing" if value is None else f"a {'whole ' if isinstance(value, int) else ''}number"
