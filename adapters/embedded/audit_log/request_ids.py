"""Request ids in the embedded mode: the audit log tells which were used; this process knows which are in use."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from hashlib import sha256
from threading import Lock
from typing import Final

from adapters.audit_log.request_ids import KEPT_SECONDS, Earlier, FirstAnswer, Trace, intact, key_of
from adapters.embedded.database import Database
from adapters.embedded.schema import Column, Table, as_text
from adapters.log.times import microseconds_now

ANSWERS: Final = Table(
    "first_answers",
    ("request",),
    (
        Column.blob("request", 32, "PRIMARY KEY"),
        Column("until", "INTEGER", "until > 0"),
        Column("answer", "BLOB"),
        Column.blob("hash", 32),
    ),
    without_rowid=True,
)
KEPT: Final = KEPT_SECONDS * 1_000_000
MAX_UNRECORDED: Final = 10_000
# A call whose caller hung up before its answer was there is not answered, and so not used.
USED: Final = """SELECT 1 FROM communications
WHERE correlation = ? AND actor = ? AND kind = 'call' AND outcome != 'gone' AND at > ?"""
ANSWER: Final = "SELECT until, answer, hash FROM first_answers WHERE request = ?"
INSERT: Final = "INSERT OR IGNORE INTO first_answers (request, until, answer, hash) VALUES (?, ?, ?, ?)"
EXPIRE: Final = "DELETE FROM first_answers WHERE until < ?"
ALL: Final = "SELECT request, until, answer, hash FROM first_answers"


class SqliteRequestIds:
    """Request ids as the one process of a data directory sees them; the audit log's file has the answers."""

    def __init__(self, database: Database, now: Callable[[], int] = microseconds_now) -> None:
        self._database, self._now = database, now
        self._lock = Lock()
        self._running: set[bytes] = set()
        self._unrecorded: dict[bytes, int] = {}  # until when

    def claim(self, client: str, request_id: str) -> bool:
        key, now = key_of(client, request_id), self._now()
        with self._lock:
            if key in self._running or self._unrecorded.get(key, 0) > now:
                return False
            self._running.add(key)
        is_used = True
        try:
            with self._database.reading() as connection:
                is_used = connection.execute(USED, (request_id, client, now - KEPT)).fetchone() is not None
        finally:
            if is_used:
                self._end(key)
        return not is_used

    def earlier(self, client: str, request_id: str) -> Earlier | None:
        key = key_of(client, request_id)
        if key in self._running:
            return Earlier(is_running=True)
        with self._database.reading() as connection:
            row = connection.execute(ANSWER, (key,)).fetchone()
        if row is not None:
            until, answer, digest = row
            return Earlier(is_running=False, answer=intact(answer) if digest == _hash(key, until, answer) else None)
        return None if self.claim(client, request_id) else Earlier(is_running=key in self._running)

    def keep(self, client: str, request_id: str, answer: FirstAnswer) -> None:
        key, now, stored = key_of(client, request_id), self._now(), answer.stored()
        with self._database.writing() as connection:
            connection.execute(EXPIRE, (now,))
            connection.execute(INSERT, (key, now + KEPT, stored, _hash(key, now + KEPT, stored)))

    def release(self, client: str, request_id: str, trace: Trace) -> None:
        key = key_of(client, request_id)
        if trace is Trace.UNANSWERABLE:
            with self._lock:
                while len(self._unrecorded) >= MAX_UNRECORDED:
                    del self._unrecorded[next(iter(self._unrecorded))]
                self._unrecorded[key] = self._now() + KEPT
        self._end(key)

    def _end(self, key: bytes) -> None:
        with self._lock:
            self._running.discard(key)


def find_changed_answers(connection: sqlite3.Connection) -> Iterator[str]:
    for request, until, answer, digest in connection.execute(ALL):
        fits = isinstance(request, bytes) and isinstance(until, int) and isinstance(answer, bytes)
        if not fits or digest != _hash(request, until, answer):
            yield f"first_answers row {as_text(request)}: it was changed"


def _hash(key: bytes, until: int, answer: bytes) -> bytes:
    return sha256(key + until.to_bytes(8, "big", signed=True) + answer).digest()
