"""Tables of the read models. A version is true from position `since` until before `until`; OPEN stands for ever."""
# ruff: noqa: S608 - constants and names of the schema are pasted in, values are bound

from __future__ import annotations

from projections.ports import OPEN

_COLUMN_INDEXES = ";".join(
    f"CREATE INDEX history_{column} ON history({column},n,since,until,withdrawn,model,dataset,actor)"
    for column in ("model", "dataset", "actor", "session", "experiment", "at")
)

# `word` gives names of facts, models, data sets and actors small numbers: indexes stay narrow and bear all of them.
# `value ANY` keeps numbers, text and blobs apart and sorts them in this order; none, false and true are blobs.
# Every index bears since, until, withdrawn, model, dataset and actor: most tests need no look at the row.
# Within one value facts are in the order of `n`, and so are column indexes. Bodies lie apart: finding reads little.
SCHEMA = f"""
CREATE TABLE progress(one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL, rows INTEGER NOT NULL) STRICT;
INSERT INTO progress VALUES (1, 0, 0);
CREATE TABLE document(kind TEXT NOT NULL, id TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY(kind,id,since)) STRICT, WITHOUT ROWID;
CREATE INDEX document_open ON document(kind,id) WHERE until = {OPEN};
CREATE TABLE word(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE history(n INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, withdrawn INTEGER NOT NULL,
    model INTEGER NOT NULL, dataset INTEGER NOT NULL, actor INTEGER NOT NULL, session TEXT NOT NULL,
    experiment TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(n,since)) STRICT, WITHOUT ROWID;
CREATE TABLE history_body(n INTEGER NOT NULL, since INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY(n,since)) STRICT, WITHOUT ROWID;
{_COLUMN_INDEXES};
CREATE TABLE fact(name INTEGER NOT NULL, value ANY NOT NULL, n INTEGER NOT NULL, since INTEGER NOT NULL,
    until INTEGER NOT NULL, withdrawn INTEGER NOT NULL, model INTEGER NOT NULL, dataset INTEGER NOT NULL,
    actor INTEGER NOT NULL, PRIMARY KEY(name,value,n,since)) STRICT, WITHOUT ROWID;
CREATE INDEX fact_of ON fact(n,name,value,since)
"""
