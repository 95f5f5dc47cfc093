"""Durable appends a second: 2 events of 300 bytes a commit, from 1 client and from 32.

Beside them, in the same run, the `eventsourcing` library's own SQLite recorder, and a bare loop that appends the same
bytes to a file and syncs it, commit by commit: what the disk allows one writer who does nothing else.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

from adapters.embedded.database import Database
from adapters.embedded.log.event_store import SqliteEventStore
from adapters.log.events import encode
from benchmarks import Figure
from commands.ports import AppendHeader
from domain.events import Event, Metadata
from domain.experiment_events import ExperimentAnnotated

COMMITS = 3200
ROUNDS = 5
METADATA = Metadata(actor="ana", correlation=str(uuid4()), causation=str(uuid4()))

Decided = tuple[UUID, tuple[Event, Event]]
Append = Callable[[Decided], object]


def decided() -> Decided:
    """Return a command id and the first two events of a new stream, each of 300 bytes when stored."""
    command = uuid4()
    stream = f"experiment:{command.hex[:16]}"
    return command, (_annotated(stream, 1), _annotated(stream, 2))


def _annotated(stream: str, version: int) -> Event:
    return ExperimentAnnotated(originator_id=stream, originator_version=version, text="x" * 130, reason="r" * 16)


def ours(folder: Path) -> Append:
    """Return what appends decided events to our store, and waits until they are stored."""
    store = SqliteEventStore(Database(folder / "ours.db"))
    return lambda work: store.append(work[1], AppendHeader(work[0], work[0], METADATA))


def theirs(folder: Path) -> Append:
    """Return what stores the same bytes with the library's recorder; it has no chain, no times and no command ids."""
    recorder = SQLiteApplicationRecorder(SQLiteDatastore(str(folder / "theirs.db"), originator_id_type="text"))
    recorder.create_table()

    def insert(work: Decided) -> object:
        events = [event.with_metadata(METADATA) for event in work[1]]
        return recorder.insert_events(
            [StoredEvent(e.originator_id, e.originator_version, e.NAME, encode(e)) for e in events]
        )

    return insert


def bare_rate(folder: Path) -> float:
    """Return commits a second of a loop that writes and syncs bytes that are there already."""
    commits = [b"".join(encode(it.with_metadata(METADATA)) for it in decided()[1]) for _ in range(COMMITS)]
    file = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    started = time.perf_counter()
    for commit in commits:
        os.write(file, commit)
        os.fdatasync(file)
    seconds = time.perf_counter() - started
    os.close(file)
    return COMMITS / seconds


def rate(append: Append, threads: int) -> float:
    """Return commits a second with this many threads, each appending as fast as it can."""
    shares = [[decided() for _ in range(COMMITS // threads)] for _ in range(threads)]

    def work(share: list[Decided]) -> None:
        for commit in share:
            append(commit)

    with ThreadPoolExecutor(threads) as pool:
        started = time.perf_counter()
        list(pool.map(work, shares))
        return COMMITS // threads * threads / (time.perf_counter() - started)


def measure() -> list[Figure]:
    """Measure both in turns and return medians."""
    size = len(encode(decided()[1][0].with_metadata(METADATA)))
    figures = []
    with tempfile.TemporaryDirectory() as name:
        our, their = ours(Path(name)), theirs(Path(name))
        rate(our, 1), rate(their, 1)  # both write-ahead logs reach their full size
        for threads, goal, beside in ((1, ">= 4000", ">= 0.9"), (32, ">= 10000", ">= 2.5")):
            rounds = [(rate(our, threads), rate(their, threads), bare_rate(Path(name))) for _ in range(ROUNDS)]
            mine, other, bare = (statistics.median(column) for column in zip(*rounds, strict=True))
            what = f"append, SQLite durable, {threads} client{'s' if threads > 1 else ''}"
            figures.append(Figure(what, mine, "commits/s", goal, f"2 events of {size} bytes"))
            figures.append(Figure(f"{what}, beside the library's recorder", mine / other, "x", "", f"{other:,.0f}/s"))
            note = f"{bare:,.0f} writes and syncs/s"
            figures.append(Figure(f"{what}, beside a loop that writes and syncs", mine / bare, "x", beside, note))
    return figures


if __name__ == "__main__":
    for figure in measure():
        print(figure)
