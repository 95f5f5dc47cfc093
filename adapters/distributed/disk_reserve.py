"""The disk reserve: how much is free where MongoDB keeps its files, as far as the server tells it, and here."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Final

from pymongo.errors import OperationFailure

from adapters.distributed.mongo import Mongo, as_ours
from domain.errors import DiskReserveError

FRESH_SECONDS: Final = 5.0  # how long an answer of the server counts: it is asked for before every command


class DiskReserve:
    """Watches that `reserve` bytes stay free on the server's disk, and on that of `folder`, where one is given."""

    def __init__(self, mongo: Mongo, reserve: int, folder: Path | None = None, seconds: float = FRESH_SECONDS) -> None:
        self._mongo, self._reserve, self._folder, self._seconds = mongo, reserve, folder, seconds
        self._asked = float("-inf")
        self._free: int | None = None

    def check(self) -> None:
        """Raise DiskReserveError below the reserve; NotAbleError where the server does not answer."""
        if self._reserve <= 0:
            return
        if self._folder is not None:
            self._compare(shutil.disk_usage(self._folder).free, f"the disk of {self._folder}")
        free = self.free_on_server()
        if free is not None:
            self._compare(free, "MongoDB's disk")

    def _compare(self, free: int, where: str) -> None:
        if free < self._reserve:
            raise DiskReserveError(
                f"Only {free:,} bytes of {where} are free and {self._reserve:,} are kept in reserve: free some first."
            )

    def free_on_server(self) -> int | None:
        """Return the free bytes of the server's disk, as they were a moment ago; None where it does not tell."""
        now = time.monotonic()
        if now - self._asked > self._seconds:
            self._asked = now  # first, so that while the server is away one thread waits for it and not all
            self._free = self._ask()
        return self._free

    def _ask(self) -> int | None:
        """Return the free bytes; None where the server keeps them to itself (no right, a hosted server, a router)."""
        with as_ours():
            try:
                stats = self._mongo.database.command("dbStats")
            except OperationFailure:
                return None
        total, used = stats.get("fsTotalSize"), stats.get("fsUsedSize")
        return int(total - used) if total and used is not None else None
