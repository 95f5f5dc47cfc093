"""What is wrong with a SQLite file: its bytes, its write-ahead log, pages, header, tables, and values that do not fit.

Bytes in space that nothing uses are not part of what is stored, and are not looked at.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing
from functools import cache
from pathlib import Path
from struct import Struct
from sys import byteorder
from typing import BinaryIO, Final

from adapters.embedded.schema import MAX_NAMED, Schema
from domain.errors import NotAbleError

TABLES: Final = "SELECT type, name, tbl_name, sql FROM sqlite_schema"
# Offset, name and bytes of what a file of ours has in its header from its first page on, whatever is written later:
# https://www.sqlite.org/fileformat2.html#the_database_header
FIXED: Final = (
    (0, "name", b"SQLite format 3\0"),
    (18, "kind of journal", b"\x02\x02"),
    (20, "reserved space", b"\0"),
    (21, "fractions", b"\x40\x20\x20"),
    (48, "cache size", bytes(4)),
    (52, "vacuum", bytes(4)),
    (64, "incremental vacuum", bytes(4)),
    (72, "unused header", bytes(20)),
)
HEADER_BYTES: Final = 100
# https://www.sqlite.org/fileformat2.html#the_write_ahead_log
WAL_HEADER: Final = Struct(">8I")  # magic, version, page size, sequence, two salts, two checksums
WAL_FRAME: Final = Struct(">6I")  # page, size of the file after a commit, two salts, two checksums
WAL_MAGIC: Final = {0x377F0682: "little", 0x377F0683: "big"}
WAL_CHECKED: Final = 8  # bytes of a frame's header that its checksum covers

Checksum = tuple[int, int]
Reading = Callable[[], AbstractContextManager[sqlite3.Connection]]
Check = Callable[[sqlite3.Connection], Iterator[str]]


def content_faults(path: str, reading: Reading, schema: Schema, *more: Check) -> list[str]:
    """Return a sentence for each fault of an open file; `more` are checks of what its rows say."""
    name, found = Path(path).name, list[str]()
    checks: list[Check] = [_page_faults]
    try:
        with reading() as connection:
            if (_pragma(connection, "user_version"), _pragma(connection, "application_id")) == (0, 0):
                older = f"an older AutoLearn wrote it; a start brings it to format {schema.version}"
                checks.append(lambda _: iter([older]))
            else:
                checks += [lambda it: _pragma_faults(it, schema), lambda it: _table_faults(it, schema), *more]
            checks += [table.invalid_values for table in schema.tables]
            for check in checks:
                found.extend(f"{name}: {what}" for what in check(connection))
    except NotAbleError as error:
        return [*found, error.sentence]
    return found


def byte_faults(databases: Iterable[Path], *, unowned: bool) -> list[str]:
    """Return what only the bytes of files tell: SQLite would pass over it in silence.

    Write-ahead logs are checked where no backend owns the files (`unowned`). Call it before this process opens the
    databases: closing a file gives back SQLite's own locks on it.
    """
    checks = (_file_header_faults, _journal_faults, wal_faults) if unowned else (_file_header_faults, _journal_faults)
    return [what for path in databases for check in checks for what in check(path)]


def wal_faults(database: Path) -> Iterator[str]:
    """Say where the write-ahead log of a database that no process has open was damaged.

    SQLite reads such a file up to the first page whose checksum is wrong, and silently drops what follows.
    """
    path = database.with_name(f"{database.name}-wal")
    try:
        size, file = path.stat().st_size, path.open("rb")
    except FileNotFoundError:
        return
    with file:
        if size > WAL_HEADER.size and (what := _wal_fault(file)):
            yield f"{path.name}: {what}"


def _page_faults(connection: sqlite3.Connection) -> Iterator[str]:
    return (str(what) for (what,) in connection.execute(f"PRAGMA integrity_check({MAX_NAMED})") if what != "ok")


def _pragma_faults(connection: sqlite3.Connection, schema: Schema) -> Iterator[str]:
    # Not the journal mode: for a file that is read as immutable SQLite reports another. `_file_header_faults` has it.
    for name, wanted in {
        "user_version": schema.version,
        "application_id": schema.application,
        "encoding": "UTF-8",
        "auto_vacuum": 0,
    }.items():
        if (value := _pragma(connection, name)) != wanted:
            yield f"its header says {name} = {value}, and should say {wanted}"


def _pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def _table_faults(connection: sqlite3.Connection, schema: Schema) -> Iterator[str]:
    ours, there = Counter(_objects_of(schema)), Counter(connection.execute(TABLES).fetchall())
    for kind, name, table, _ in (there - ours).keys() | (ours - there).keys():
        yield f"its {kind} {name} (of {table}) is not as AutoLearn makes it"


@cache
def _objects_of(schema: Schema) -> list[tuple[str, str, str, str]]:
    with closing(sqlite3.connect(":memory:")) as fresh:
        for statement in schema.statements:
            fresh.execute(statement)
        return fresh.execute(TABLES).fetchall()


def _journal_faults(path: Path) -> Iterator[str]:
    journal = path.with_name(f"{path.name}-journal")
    if journal.exists():
        yield f"{journal.name}: AutoLearn writes no such file, and SQLite would change {path.name} by it: remove it"


def _file_header_faults(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            header = file.read(HEADER_BYTES)
    except OSError:
        return  # SQLite will report it
    for offset, name, content in FIXED if len(header) == HEADER_BYTES else ():
        if header[offset : offset + len(content)] != content:
            yield f"{path.name}: its header has another {name} than AutoLearn writes"


def _wal_fault(file: BinaryIO) -> str | None:
    header = file.read(WAL_HEADER.size)
    magic, _, page_size, _, *rest = WAL_HEADER.unpack(header)
    salts, checksum = rest[:2], (rest[2], rest[3])
    if magic not in WAL_MAGIC or _checksum((0, 0), header[:-8], WAL_MAGIC[magic]) != checksum:
        return "its header was changed, so that nothing in it is read"
    frame = 0
    while len(read := file.read(WAL_FRAME.size + page_size)) == WAL_FRAME.size + page_size:
        page, _, *rest = WAL_FRAME.unpack(read[: WAL_FRAME.size])
        if rest[:2] != salts:
            break
        order = WAL_MAGIC[magic]
        checksum = _checksum(_checksum(checksum, read[:WAL_CHECKED], order), read[WAL_FRAME.size :], order)
        if checksum != (rest[2], rest[3]) or not page:
            return f"page {frame + 1} in it was changed, or its writing was cut off: it is not read, nor what follows"
        frame += 1
    # Frames of this round beyond its end: those of the round before have other salts, both of them.
    while len(read) >= WAL_FRAME.size:
        found = WAL_FRAME.unpack(read[: WAL_FRAME.size])[2:4]
        if len(read) == WAL_FRAME.size + page_size and any(one == it for one, it in zip(found, salts, strict=True)):
            return "a page in it was changed: it is not read, nor what follows"
        read = file.read(WAL_FRAME.size + page_size)
    return None


def _checksum(before: Checksum, content: bytes, order: str) -> Checksum:
    words = array("I", content)
    if order != byteorder:
        words.byteswap()
    one, other = before
    for index in range(0, len(words), 2):
        one = (one + words[index] + other) & 0xFFFFFFFF
        other = (other + words[index + 1] + one) & 0xFFFFFFFF
    return one, other
