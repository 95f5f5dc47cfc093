"""The table of first answers, in the file of the audit log."""

from __future__ import annotations

from typing import Final

from adapters.embedded.schema import Column, Table

ANSWERS: Final = Table(
    "first_answers",
    ("request",),
    (
        Column("request", "BLOB", "length(request) = 32", "PRIMARY KEY"),
        Column("until", "INTEGER", "until > 0"),
        Column("answer", "BLOB"),
        Column("hash", "BLOB", "length(hash) = 32"),
    ),
    without_rowid=True,
)
