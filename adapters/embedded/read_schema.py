"""Tables of the read models. A version is true from position `since` until before `until`; OPEN stands for ever."""

# ruff: noqa: S608 - constants and names of the schema are pasted in, values are bound

from __future__ import annotations

from projections.conditions import TEXT_COLUMNS
from projections.ports import OPEN

_COLUMN_INDEXES = ";".join(
    f"CREATE INDEX history_{column} ON history({column},n,since,until,withdrawn)" for column in (*TEXT_COLUMNS, "at")
)

# `value ANY` keeps numbers, text and blobs apart and sorts them in this order; none, false and true are blobs. Facts
# and indexes bear since, until, withdrawn of their row's version, and bodies lie apart: finding rows reads no wide page.
SCHEMA = f"""
CREATE TABLE progress(one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL, rows INTEGER NOT NULL) STRICT;
INSERT INTO progress VALUES (1, 0, 0);
CREATE TABLE document(kind TEXT NOT NULL, id TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY(kind,id,since)) STRICT, WITHOUT ROWID;
CREATE INDEX document_open ON document(kind,id) WHERE until = {OPEN};
CREATE TABLE history(n INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, withdrawn INTEGER NOT NULL,
    model TEXT NOT NULL, dataset TEXT NOT NULL, actor TEXT NOT NULL, session TEXT NOT NULL, experiment TEXT NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY(n,since)) STRICT, WITHOUT ROWID;
CREATE TABLE history_body(n INTEGER NOT NULL, since INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY(n,since)) STRICT, WITHOUT ROWID;
{_COLUMN_INDEXES};
CREATE TABLE fact(name TEXT NOT NULL, value ANY NOT NULL, n INTEGER NOT NULL, since INTEGER NOT NULL,
    until INTEGER NOT NULL, withdrawn INTEGER NOT NULL, PRIMARY KEY(name,value,n,since)) STRICT, WITHOUT ROWID;
CREATE INDEX fact_of ON fact(n,name,value,since)
"""
