"""Tables of the read models. A version is true from position `since` until before `until`; OPEN stands for ever."""

from __future__ import annotations

from typing import Final

from adapters.embedded.schema import Column, Schema, Table
from projections.fold import VERSIONS
from projections.ports import OPEN

LAYOUT: Final = 1003  # of these tables; `progress` has the versions of what stands in them

_SINCE = Column("since", "INTEGER", "since >= 1")
_UNTIL = Column("until", "INTEGER", f"until > since AND until <= {OPEN}")
_N = Column("n", "INTEGER", "n >= 1024")
_AT_HAND = (
    Column("withdrawn", "INTEGER", "withdrawn IN (0, 1)"),
    *(Column(name, "INTEGER", f"{name} >= 1") for name in ("model", "dataset", "actor")),
)

# A row for each projection: its version, how far it is, and of `history` how many rows it has.
PROGRESS: Final = Table(
    "progress",
    ("projection",),
    (
        Column("projection", "TEXT", key="PRIMARY KEY"),
        *(Column(name, "INTEGER", f"{name} >= 0") for name in ("version", "position", "rows")),
    ),
)
DOCUMENT: Final = Table(
    "document",
    ("kind", "id", "since"),
    (Column("kind", "TEXT"), Column("id", "TEXT"), _SINCE, _UNTIL, Column("body", "TEXT")),
    "PRIMARY KEY(kind,id,since)",
    without_rowid=True,
)
# `word` gives names of facts, models, data sets and actors small numbers: indexes stay narrow and bear all of them.
WORD: Final = Table(
    "word", ("id",), (Column("id", "INTEGER", "id >= 1", "PRIMARY KEY"), Column("text", "TEXT", key="UNIQUE"))
)
HISTORY: Final = Table(
    "history",
    ("n", "since"),
    (
        *(_N, _SINCE, _UNTIL, *_AT_HAND),
        *(Column("session", "TEXT"), Column("experiment", "TEXT"), Column("at", "INTEGER")),
    ),
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
# `value ANY` keeps numbers, text and blobs apart and sorts them in this order; none, false and true are blobs.
FACT: Final = Table(
    "fact",
    ("n", "since", "name"),
    (
        Column("name", "INTEGER", "name >= 1"),
        Column("value", "ANY", "typeof(value) <> 'blob' OR value IN (x'00', x'01', x'02')"),
        *(_N, _SINCE, _UNTIL, *_AT_HAND),
    ),
    "PRIMARY KEY(name,value,n,since)",
    without_rowid=True,
)
# Every index bears since, until, withdrawn, model, dataset and actor: most tests need no look at the row.
# Within one value facts are in the order of `n`, and so are column indexes. Bodies lie apart: finding reads little.
INDEXES: Final = (
    f"CREATE INDEX document_open ON document(kind,id) WHERE until = {OPEN}",
    *(
        f"CREATE INDEX history_{column} ON history({column},n,since,until,withdrawn,model,dataset,actor)"
        for column in ("model", "dataset", "actor", "session", "experiment", "at")
    ),
    "CREATE INDEX fact_of ON fact(n,name,value,since)",
)
READ_MODELS: Final = Schema(
    0x414C726D,  # "ALrm"
    LAYOUT,
    (PROGRESS, DOCUMENT, WORD, HISTORY, BODY, FACT),
    INDEXES,
    tuple(f"INSERT INTO progress VALUES ('{name}', {version}, 0, 0)" for name, version in VERSIONS.items()),  # noqa: S608 - constants
)
