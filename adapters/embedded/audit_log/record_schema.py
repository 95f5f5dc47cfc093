"""Records of the audit log as rows of SQLite. Older ones lack the last two columns, which are then 1 and empty."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from adapters.audit_log.chain import facts_of
from adapters.embedded.audit_log.request_ids import ANSWERS, find_changed_answers
from adapters.embedded.log.engine import LogSchema
from adapters.embedded.schema import FORMAT, Column, Schema, Table
from adapters.embedded.stored_rows import RowReader, to_moment
from adapters.log.times import to_microseconds
from projections.ports import AuditRecord, StoredAuditRecord

RECORDS: Final = Table(
    "communications",
    ("position",),
    (
        Column("position", "INTEGER", "position >= 1", "PRIMARY KEY"),
        Column.time("at"),
        Column("writer", "TEXT"),
        Column("number", "INTEGER", "number >= 1"),
        Column.blob("previous", 32),
        Column.blob("hash", 32),
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
APPLICATION: Final = 0x414C6175  # "ALau"

INSERT: Final = f"INSERT INTO communications VALUES ({', '.join('?' * len(RECORDS.columns))})"  # noqa: S608 - question marks

_rows = RowReader(RECORDS.columns)


def to_row(record: StoredAuditRecord) -> tuple[Any, ...]:
    place = (record.position, to_microseconds(record.at), record.writer, record.number, record.previous, record.hash)
    return (*place, *facts_of(record.content))


def from_row(row: Sequence[Any]) -> StoredAuditRecord:
    """Return the record of a row that was read with `lenient_text`; what no writer stores becomes its faults."""
    (position, at, writer, number, previous, chain_hash, *facts), wrong = _rows.read(row)
    time = to_moment(at, wrong)
    # Rows of an older file end before the newest facts, until a start migrates it.
    record = AuditRecord(*facts)
    faults = tuple(f"the record {what}" for what in wrong)
    return StoredAuditRecord(position, time, writer, number, previous, chain_hash, record, faults)


def insert_records(connection: sqlite3.Connection, records: Sequence[StoredAuditRecord]) -> None:
    connection.executemany(INSERT, map(to_row, records))


def select_records(
    connection: sqlite3.Connection, where: str, values: Sequence[Any], limit: int, *, newest: bool = False
) -> list[StoredAuditRecord]:
    """Return records in order, or newest first; `where` is SQL of ours, and never what a caller sent."""
    order = "DESC" if newest else "ASC"
    query = f"SELECT * FROM communications WHERE position > 0 AND {where} ORDER BY position {order} LIMIT ?"  # noqa: S608 - idem
    return [from_row(row) for row in connection.execute(query, [*values, limit])]


def read_records(connection: sqlite3.Connection, after: int, limit: int) -> list[StoredAuditRecord]:
    return select_records(connection, "position > ?", [after], limit)


AUDIT_LOG: Final = LogSchema(
    file=Schema(APPLICATION, FORMAT, (RECORDS, ANSWERS), INDEXES),
    table=RECORDS.name,
    insert=insert_records,
    read=read_records,
    checks=(find_changed_answers,),
)
