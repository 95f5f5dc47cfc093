"""What is wrong with a SQLite file as a file: pages, indexes, header, tables that are not ours, values that do not fit.

Bytes in space that nothing uses are no part of what is stored, and are not looked at.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from functools import cache
from pathlib import Path
from typing import Final

from adapters.embedded.tables import MOST, Layout
from domain.errors import NotAbleError

TABLES: Final = "SELECT type, name, tbl_name, sql FROM sqlite_schema"
Reading = Callable[[], AbstractContextManager[sqlite3.Connection]]
Check = Callable[[sqlite3.Connection], Iterator[str]]


def file_faults(path: str, reading: Reading, layout: Layout, *more: Check) -> list[str]:
    """Return a sentence for each fault; `layout` is what the file should hold, `more` looks at what its rows say."""
    name, found = Path(path).name, list[str]()
    try:
        with reading() as connection:
            older = _older(connection, layout)
            of_file = (older,) if older else (_header(layout), _tables(layout), *more)
            for check in (_pages, *of_file, _misfits(layout)):
                found.extend(f"{name}: {what}" for what in check(connection))
    except NotAbleError as error:
        return [*found, error.sentence]
    return found


def _older(connection: sqlite3.Connection, layout: Layout) -> Check | None:
    version = _pragma(connection, "user_version")
    application = _pragma(connection, "application_id")
    what = f"an older AutoLearn wrote it; a start brings it to format {layout.version}"
    return (lambda _: iter([what])) if (version, application) == (0, 0) else None


def _pages(connection: sqlite3.Connection) -> Iterator[str]:
    return (str(what) for (what,) in connection.execute(f"PRAGMA integrity_check({MOST})") if what != "ok")


def _header(layout: Layout) -> Check:
    expected = {
        "user_version": (layout.version,),
        "application_id": (layout.application,),
        "encoding": ("UTF-8",),
        "auto_vacuum": (0,),
        # not the journal mode: of a file that is read as it lies SQLite says another one; `at_rest` looks at its bytes
    }

    def check(connection: sqlite3.Connection) -> Iterator[str]:
        for name, fitting in expected.items():
            if (value := _pragma(connection, name)) not in fitting:
                yield f"its header says {name} = {value}, and should say {fitting[0]}"

    return check


def _pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def _tables(layout: Layout) -> Check:
    def check(connection: sqlite3.Connection) -> Iterator[str]:
        ours, there = Counter(_made_by(layout)), Counter(connection.execute(TABLES).fetchall())
        for kind, name, table, _ in (there - ours).keys() | (ours - there).keys():
            yield f"its {kind} {name} (of {table}) is not as AutoLearn makes it"

    return check


@cache
def _made_by(layout: Layout) -> list[tuple[str, str, str, str]]:
    with closing(sqlite3.connect(":memory:")) as fresh:
        for statement in layout.statements:
            fresh.execute(statement)
        return fresh.execute(TABLES).fetchall()


def _misfits(layout: Layout) -> Check:
    return lambda connection: (what for table in layout.tables for what in table.misfits(connection))
