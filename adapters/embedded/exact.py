"""Values read with the types that they are stored with: SQLite may hold any in any column, and serving meets them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from adapters.log.times import EPOCH, from_microseconds


class Text(bytes):
    """A stored text, not decoded; a blob is plain bytes."""


@contextmanager
def as_stored(connection: sqlite3.Connection) -> Iterator[None]:
    """Read texts as `Text`, so that neither a blob nor a wrong encoding passes for one."""
    connection.text_factory = Text
    try:
        yield
    finally:
        connection.text_factory = str


class Exact:
    """Takes stored values for what they should be; what they are not becomes a fault, and a value of the right type.

    `of` whose columns are read: of an event at a position, or of what is named.
    """

    def __init__(self, of: int | str) -> None:
        self.faults: list[str] = []
        self.of = of

    def text(self, stored: Any, column: str) -> str:
        """Take a text in UTF-8."""
        if type(stored) is Text:
            try:
                return stored.decode()
            except UnicodeDecodeError:
                self.fault(column, "text that is not UTF-8")
                return stored.decode("utf-8", "backslashreplace")
        self.fault(column, _told(stored))
        return ""

    def number(self, stored: Any, column: str) -> int:
        """Take a whole number."""
        if type(stored) is int:
            return stored
        self.fault(column, _told(stored))
        return 0

    def real(self, stored: Any, column: str) -> float:
        """Take a number."""
        if type(stored) is float:
            return stored
        self.fault(column, _told(stored))
        return 0.0

    def blob(self, stored: Any, column: str, length: int | None = None) -> bytes:
        """Take bytes, of a length if one is given."""
        if type(stored) is bytes and (length is None or len(stored) == length):
            return stored
        self.fault(column, _told(stored))
        return bytes(length or 0)

    def moment(self, stored: Any, column: str) -> datetime:
        """Take a time, in microseconds."""
        try:
            return from_microseconds(self.number(stored, column))
        except OverflowError:
            self.fault(column, "no time that can be")
            return EPOCH

    def fault(self, column: str, what: str) -> None:
        """Note what stands in a column and cannot have been stored there."""
        whose = f"the event at {self.of}" if isinstance(self.of, int) else f"the {self.of}"
        self.faults.append(f"{whose} has {what} as {column}")


def _told(stored: Any) -> str:
    if isinstance(stored, bytes):
        return f"{'text' if type(stored) is Text else 'a blob'} of {len(stored)} bytes"
    return "nothing" if stored is None else f"a {'whole ' if isinstance(stored, int) else ''}number"
