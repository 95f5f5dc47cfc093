"""First fold and rebuild on SQLite, of a log in commits as life makes them (REBUILD_EVENTS=100000): rate, memory, size.

Each is measured in a process of its own: events for each second of processor time, which is a rate for one core.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, Final

from adapters.embedded.database import Database
from adapters.embedded.log.commit_schema import EVENT_LOG
from adapters.embedded.log.feed import SqliteFeed
from adapters.embedded.read_models.database import ReadDatabase
from adapters.embedded.read_models.documents import SqliteDocuments
from adapters.embedded.schema import migrate
from benchmarks import Figure
from benchmarks.life_log import life_log
from projections.rebuild import rebuild
from projections.runner import ProjectionRunner

EVENTS: Final = int(os.environ.get("REBUILD_EVENTS", "100000"))
AT_ONCE: Final = 5000  # commits
MIB: Final = 1024


def fill(path: Path) -> None:
    """Write the log."""
    with closing(Database(path)) as database:
        migrate(database, EVENT_LOG.file)
        commits = life_log(EVENTS)
        while piece := list(islice(commits, AT_ONCE)):
            with database.writing() as connection:
                EVENT_LOG.insert(connection, piece)


def run_step(name: str, log: Path, read: Path) -> dict[str, float]:
    """Fold the log in this process and return what it took."""
    feed, documents = SqliteFeed(Database(log, read_only=True)), SqliteDocuments(ReadDatabase(read))
    end, _ = feed.end()
    started, cpu = time.perf_counter(), time.process_time()
    if name == "rebuild":
        for _ in rebuild(feed, documents, end):
            pass
    else:
        runner = ProjectionRunner(feed, documents)
        while runner.step():
            pass
    cpu, seconds = time.process_time() - cpu, time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB
    return {"events": end, "cpu": cpu, "seconds": seconds, "memory": memory}


def in_own_process(*arguments: str) -> dict[str, Any]:
    """Run a step in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.rebuild", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def stored_bytes(path: Path) -> int:
    """Return the size of a database with its write-ahead log written back."""
    with closing(ReadDatabase(path)) as read, read.reading() as connection:
        (pages,), (size,) = (connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size"))
    return int(pages * size)


def measure() -> Iterator[Figure]:
    """Measure both, and the bytes of the read models beside those of the log."""
    with tempfile.TemporaryDirectory() as name:
        log, folder = Path(name) / "log.db", Path(name)
        fill(log)
        for step in ("first fold", "rebuild"):
            took = in_own_process(step, str(log), str(folder / f"{step}.db"))
            note = f"{took['events']:,} events, two a commit; by the clock {took['events'] / took['seconds']:,.0f}/s"
            rate = took["events"] / took["cpu"]
            yield Figure(f"{step}, SQLite, for each core in use", rate, "events/s", ">= 20000", note)
            yield Figure(f"memory of {step}, SQLite", took["memory"], "MiB", "<= 300", f"{took['events']:,} events")
        ratio = stored_bytes(folder / "rebuild.db") / log.stat().st_size
        yield Figure("read models beside the log, SQLite", ratio, "x", "", "bytes of both files")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(run_step(sys.argv[1], *map(Path, sys.argv[2:]))))
    else:
        for figure in measure():
            print(figure)
