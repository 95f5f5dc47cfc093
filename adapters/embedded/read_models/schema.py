"""Tables of the read models. A version is true from position `since` until before `until`; OPEN stands for ever."""

from __future__ import annotations

from typing import Final

from adapters.embedded.schema import Column, Schema, Table
from adapters.history.pager import COMMON_COLUMNS
from projections.fold import VERSIONS
from projections.ports import OPEN, ROWS_PER_COMMIT

LAYOUT: Final = 1005  # of these tables; `progress` has the versions of what stands in them

_SINCE = Column("since", "INTEGER", "since >= 1")
_UNTIL = Column("until", "INTEGER", f"until > since AND until <= {OPEN}")
_N = Column("n", "INTEGER", f"n >= {ROWS_PER_COMMIT}")
_INDEXED = (
    Column("withdrawn", "INTEGER", "withdrawn IN (0, 1)"),
    *(Column(name, "INTEGER", f"{name} >= 1") for name in COMMON_COLUMNS),
)

# A row for each projection: its version, and how far it is.
PROGRESS: Final = Table(
    "progress",
    ("projection",),
    (
        Column("projection", "TEXT", key="PRIMARY KEY"),
        *(Column(name, "INTEGER", f"{name} >= 0") for name in ("version", "position")),
    ),
)
DOCUMENT: Final = Table(
    "document",
    ("kind", "id", "since"),
    (
        Column("kind", "TEXT"),
        Column("id", "TEXT"),
        _SINCE,
        _UNTIL,
        Column("whole", "INTEGER", "whole BETWEEN 1 AND since"),
        Column("body", "TEXT"),
    ),
    "PRIMARY KEY(kind,id,since)",
    without_rowid=True,
)
# `word` gives names of facts and texts of common columns small numbers: indexes stay narrow and bear all of them.
WORD: Final = Table(
    "word", ("id",), (Column("id", "INTEGER", "id >= 1", "PRIMARY KEY"), Column("text", "TEXT", key="UNIQUE"))
)
HISTORY: Final = Table(
    "history",
    ("n", "since"),
    (_N, _SINCE, _UNTIL, *_INDEXED),
    "PRIMARY KEY(n,since)",
    without_rowid=True,
)
BODY: Final = Table(
    "history_body",
    ("n", "since"),
    (_N, _SINCE, Column("body", "TEXT")),
    "PRIMARY KEY(n,since)",
    without_rowid=True,
)
# Values are keys of adapters/history/ranges.py. The columns that filters compare are facts too.
FACT: Final = Table(
    "fact",
    ("n", "since", "name"),
    (
        Column("name", "INTEGER", "name >= 1"),
        Column("value", "BLOB"),
        *(_N, _SINCE, _UNTIL, *_INDEXED),
    ),
    "PRIMARY KEY(name,value,n,since)",
    without_rowid=True,
)
# Facts bear since, until, withdrawn and the common columns: most tests need no look at the row.
# Within one value facts are in the order of `n`. Bodies lie apart: finding reads little.
INDEXES: Final = (
    f"CREATE INDEX document_open ON document(kind,id) WHERE until = {OPEN}",
    "CREATE INDEX fact_of ON fact(n,name,value,since)",
)
READ_MODELS: Final = Schema(
    0x414C726D,  # "ALrm"
    LAYOUT,
    (PROGRESS, DOCUMENT, WORD, HISTORY, BODY, FACT),
    INDEXES,
    tuple(f"INSERT INTO progress VALUES ('{name}', {version}, 0)" for name, version in VERSIONS.items()),  # noqa: S608 - constants
)
