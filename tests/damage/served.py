"""Everything that serving can read of a data directory, with types: what a change without effect leaves the same."""
# ruff: noqa: S608 - names of our own schema are pasted in

from __future__ import annotations

import marshal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from adapters.embedded.audit_log.record_schema import AUDIT_LOG
from adapters.embedded.directory.format import read_format
from adapters.embedded.directory.receipts import read_receipts
from adapters.embedded.log.commit_schema import EVENT_LOG
from adapters.embedded.read_models.generations import Generations
from adapters.embedded.read_models.schema import READ_MODELS
from adapters.embedded.schema import Schema
from adapters.security.keys import read_master_key
from autolearn.credentials import Credentials
from autolearn.errors import ClientError
from domain.errors import AutoLearnError
from projections.ports import OPEN

SCHEMAS = {
    "events.db": EVENT_LOG.file,
    "communications.db": AUDIT_LOG.file,
    "read-models-1.db": READ_MODELS,
}
PRAGMAS = ("user_version", "application_id", "encoding", "auto_vacuum", "journal_mode", "page_size")
INDEXES = "SELECT m.name, l.name FROM sqlite_schema m JOIN pragma_index_list(m.name) l WHERE m.type = 'table'"


def served(data: Path, file: str) -> Any:
    """Return what one file says to whoever serves, or why it cannot be read."""
    name = file.removesuffix("-wal")
    if name in SCHEMAS:
        return of_database(data / name, SCHEMAS[name])
    if file.startswith("blobs/"):
        return (data / file).read_bytes()
    return of_small_file(data, name)


class Rows:
    """Rows of several queries; the same where types and values are, bodies in JSON where they say the same."""

    def __init__(self, answers: list[list[Any]]) -> None:
        self.answers = answers
        self.exact = marshal.dumps(answers, 2)  # a version that writes equal values of equal types alike

    def __eq__(self, other: object) -> bool:
        """Compare bytes first, which is quick."""
        if not isinstance(other, Rows):
            return False
        return self.exact == other.exact or self.shown() == other.shown()

    __hash__ = None  # type: ignore[assignment] # compared alone

    def shown(self) -> str:
        """Return a text that shows types, and a JSON object as what it says."""
        return repr([[[(type(value).__name__, read(value)) for value in row] for row in it] for it in self.answers])


def of_database(path: Path, layout: Schema) -> Rows | str:
    """Return header, schema, all rows by table, and what each index holds, in order."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            answers = [connection.execute(f"PRAGMA {name}").fetchall() for name in PRAGMAS]
            connection.text_factory = as_text
            answers.append(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema").fetchall())
            return Rows([*answers, *(connection.execute(query).fetchall() for query in queries(layout))])
    except (sqlite3.Error, UnicodeDecodeError, OverflowError) as error:
        return f"{type(error).__name__}: {error}"


def as_text(stored: bytes) -> str:
    """Decode anything, reversibly."""
    return stored.decode("utf-8", "surrogateescape")


@cache
def queries(layout: Schema) -> tuple[str, ...]:
    """Return what reads every table, and every index without its table."""
    with closing(sqlite3.connect(":memory:")) as fresh:
        for statement in layout.statements:
            fresh.execute(statement)
        tables = tuple(f"SELECT * FROM {table.name}" for table in layout.tables)
        return (*tables, *(of_index(fresh, table, index) for table, index in fresh.execute(INDEXES).fetchall()))


def of_index(fresh: sqlite3.Connection, table: str, index: str) -> str:
    columns = fresh.execute("SELECT coalesce(name, 'rowid') FROM pragma_index_xinfo(?)", (index,)).fetchall()
    where = f" WHERE until = {OPEN}" if index == "document_open" else ""
    return f"SELECT {', '.join(name for (name,) in columns)} FROM {table} INDEXED BY {index}{where}"


def read(value: Any) -> Any:
    """Return what a JSON object says."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            return from_json(value)
        except (ValueError, TypeError):  # no JSON; no UTF-8
            return value
    return value


def of_small_file(data: Path, name: str) -> Any:
    """Return what whoever needs the file gets from it."""
    try:
        if name == "master.key":
            return read_master_key(data / name)
        if name == "credentials.json":
            it = Credentials.read(data / name)
            return it.client, it.key_generation, it.key
    except (AutoLearnError, ClientError) as error:
        return str(error)
    by_name: dict[str, Callable[[], Any]] = {
        "format.json": lambda: read_format(data),
        "read-models.current": lambda: Generations(data).named(),
        "receipts.json": lambda: read_receipts(data),
        "lock": lambda: None,  # of nobody who lives: see tests/embedded/test_directory_lock.py
    }
    return by_name[name]()
