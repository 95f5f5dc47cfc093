"""`receipts.json`: how far the log and the audit log had come, so that the next start notices a lost end.

It is written twice a second, never in the time of a call, and only what is on disk already is written.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event as Signal
from typing import Final

from adapters.host.background import BackgroundThread
from adapters.host.files import open_regular, write_whole
from domain.errors import AutoLearnError
from projections.ports import GENESIS
from projections.verification.tail_check import LogEnd

logger = logging.getLogger(__name__)

NAME: Final = "receipts.json"
LOG, AUDIT = "log", "audit"
EVERY_SECONDS: Final = 0.5
RECEIPT: Final = "(0|[1-9][0-9]{0,18}):([0-9a-f]{64})"
FORM: Final = re.compile(rf'{{"log": "{RECEIPT}", "audit": "{RECEIPT}"}}')

Receipt = tuple[int, bytes]  # position and chain hash
Receipts = dict[str, Receipt]
LogEnds = Mapping[str, LogEnd]


def read_receipts(folder: Path) -> Receipts:
    """Return the receipts; empty where the file is missing or garbled, which is not evidence of a loss."""
    try:
        found = FORM.fullmatch((folder / NAME).read_bytes().decode())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        found = None
    if found is None:
        logger.warning("%s cannot be read, so it does not show whether an end of the log was lost", folder / NAME)
        return {}
    log_at, log_hash, audit_at, audit_hash = found.groups()
    return {LOG: (int(log_at), bytes.fromhex(log_hash)), AUDIT: (int(audit_at), bytes.fromhex(audit_hash))}


def write_receipts(folder: Path, receipts: Receipts) -> None:
    write_whole(folder / NAME, _text(receipts))


def _text(receipts: Receipts) -> str:
    return json.dumps({name: f"{position}:{found.hex()}" for name, (position, found) in receipts.items()})


class ReceiptKeeper(BackgroundThread):
    """Writes the file for the process that owns the data directory; `ends` returns what is durable now.

    A receipt that does not hold any more stays: somebody changed the files while they were in use.
    """

    def __init__(self, folder: Path, ends: Callable[[], LogEnds]) -> None:
        super().__init__(self._run, "receipts")
        self._folder, self._ends = folder, ends
        self._written = read_receipts(folder)
        self._broken: set[str] = set()
        self._failing = False

    def start(self) -> None:
        """Write now, and from now on until it is stopped."""
        self.write()
        super().start()

    def stop(self) -> None:
        """Write once more after the last time, if it was started."""
        was_started = self.is_started
        super().stop()
        if was_started:
            self.write()

    def write(self) -> None:
        """Write where anything is new; a full disk or a store that does not answer is no reason to stop serving."""
        try:
            receipts = {name: self._next(name, end) for name, end in self._ends().items()}
            if self._content() != _text(receipts).encode():  # also where somebody removed or changed it
                write_receipts(self._folder, receipts)
            self._written = receipts
            self._failing = False
        except (AutoLearnError, OSError) as trouble:
            if not self._failing:
                logger.warning("%s cannot be written, retrying: %s", NAME, trouble)
            self._failing = True

    def _content(self) -> bytes:
        try:
            with open_regular(self._folder / NAME) as file:
                return file.read()
        except OSError:
            return b""

    def _next(self, name: str, end: LogEnd) -> Receipt:
        position, found = self._written.get(name, (0, GENESIS))
        if (position, found) == (end.position, end.hash) or end.hash_at(position) == found:
            return end.position, end.hash
        if name not in self._broken:
            logger.error("%s no longer matches its receipt at %s: run `autolearn verify`", end.name, position)
            self._broken.add(name)
        return position, found

    def _run(self, stopping: Signal) -> None:
        while not stopping.wait(EVERY_SECONDS):
            self.write()
