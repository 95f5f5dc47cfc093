"""Keeps the server of a test run until its last user has gone: `python -m tests.servers.keeper KIND FOLDER`.

Prints the URL once the server answers. The run's folder has the pipe that all users hold open (shared.py).
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from filelock import FileLock

from tests.servers.kafka import KafkaServer
from tests.servers.mongod import MongoServer
from tests.servers.process import Server

KINDS: dict[str, type[Server]] = {"kafka": KafkaServer, "mongodb": MongoServer}


def main(kind: str, run: Path) -> None:
    """Run a server from now until nobody of the run uses it any more, and remove its files."""
    users = os.open(run / f"{kind}.users", os.O_RDONLY)
    server = KINDS[kind](run / kind)
    server.start()
    try:
        print(server.url, flush=True)  # noqa: T201 - its result
        await_last(users, run / f"{kind}.users", FileLock(run / f"{kind}.lock"))
    finally:
        server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)


def await_last(users: int, pipe: Path, entrance: FileLock) -> None:
    """Return once nobody holds the pipe open; who comes later finds none, and starts a server anew."""
    while True:
        os.set_blocking(users, True)
        os.read(users, 1)
        with entrance:
            os.set_blocking(users, False)
            try:
                os.read(users, 1)
            except BlockingIOError:
                continue  # somebody came between the end of the file and the lock
            pipe.unlink()
            os.close(users)
            return


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
