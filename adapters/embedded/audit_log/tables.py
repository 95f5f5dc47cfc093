"""The table of the audit log. Its last two columns came later: to older records they are 1 and nothing."""

from __future__ import annotations

from typing import Final

from adapters.embedded.audit_log.answer_tables import ANSWERS
from adapters.embedded.log.tables import FORMAT, YEARS_1_TO_9999
from adapters.embedded.schema import Column, Schema, Table

TABLE: Final = Table(
    "communications",
    ("position",),
    (
        Column("position", "INTEGER", "position >= 1", "PRIMARY KEY"),
        Column("at", "INTEGER", YEARS_1_TO_9999),
        Column("writer", "TEXT"),
        Column("number", "INTEGER", "number >= 1"),
        Column("previous", "BLOB", "length(previous) = 32"),
        Column("hash", "BLOB", "length(hash) = 32"),
        *(Column(name, "TEXT") for name in ("kind", "actor", "source", "target", "operation", "outcome", "problem")),
        Column("milliseconds", "REAL"),
        Column("bytes_in", "INTEGER"),
        Column("bytes_out", "INTEGER"),
        Column("correlation", "TEXT"),
        Column("causation", "TEXT"),
        Column("domain_position", "INTEGER"),
        Column("digest_in", "TEXT"),
        Column("digest_out", "TEXT"),
        Column("count", "INTEGER", before="1"),
        Column("head", "TEXT", before="''"),
    ),
)
INDEXES: Final = (
    "CREATE INDEX communications_by_correlation ON communications (correlation)",
    "CREATE UNIQUE INDEX communications_by_writer ON communications (writer, number)",
    "CREATE INDEX first_answers_by_end ON first_answers (until)",
)
AUDIT_LOG: Final = Schema(0x414C6175, FORMAT, (TABLE, ANSWERS), INDEXES)  # "ALau"
