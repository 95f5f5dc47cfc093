"""`receipts.json`: how far log and audit log had come, kept beside them: the next start notices a lost end by it.

It is written twice a second, never in the time of a call, and only what is on disk already is written.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event as Signal
from threading import Thread
from typing import Final

from adapters.host.files import open_regular, write_whole
from domain.errors import AutoLearnError
from projections.verification.tails import GENESIS, End

log = logging.getLogger(__name__)

NAME: Final = "receipts.json"
LOG, AUDIT = "log", "audit"
EVERY_SECONDS: Final = 0.5
RECEIPT: Final = "(0|[1-9][0-9]{0,18}):([0-9a-f]{64})"
FORM: Final = re.compile(rf'{{"log": "{RECEIPT}", "audit": "{RECEIPT}"}}')

Receipt = tuple[int, bytes]
Receipts = dict[str, Receipt]
Ends = Mapping[str, End]


def read_receipts(folder: Path) -> Receipts:
    """Return position and hash by name, as far as the file tells; it is evidence of a loss, its absence is none."""
    try:
        return _parsed((folder / NAME).read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        log.warning("%s cannot be read, so it does not show whether an end of the log was lost", folder / NAME)
        return {}


def write_receipts(folder: Path, receipts: Receipts) -> None:
    """Replace the file."""
    write_whole(folder / NAME, _text(receipts))


def _said_in(folder: Path) -> bytes:
    try:
        with open_regular(folder / NAME) as file:
            return file.read()
    except OSError:
        return b""


def _text(receipts: Receipts) -> str:
    return json.dumps({name: f"{position}:{found.hex()}" for name, (position, found) in receipts.items()})


def _parsed(content: bytes) -> Receipts:
    """Return what `_text` was made of; raises ValueError for whatever else it is."""
    found = FORM.fullmatch(content.decode())
    if found is None:
        raise ValueError("it does not have the form of receipts")
    log_at, log_hash, audit_at, audit_hash = found.groups()
    return {LOG: (int(log_at), bytes.fromhex(log_hash)), AUDIT: (int(audit_at), bytes.fromhex(audit_hash))}


class ReceiptKeeper:
    """Writes the file of one process that owns the data directory; `ends` tells what is stored for good now.

    A receipt that does not hold any more stays: somebody changed the files while they were in use.
    """

    def __init__(self, folder: Path, ends: Callable[[], Ends]) -> None:
        self._folder, self._ends = folder, ends
        self._written = read_receipts(folder)
        self._broken: set[str] = set()
        self._failing = False
        self._closing = Signal()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Write now, and from now on until it is stopped."""
        self.write()
        self._thread = Thread(target=self._run, name="receipts", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write a last time."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            self.write()

    def write(self) -> None:
        """Write where anything is new; a full disk or a store that does not answer is no reason to stop serving."""
        try:
            receipts = {name: self._next(name, end) for name, end in self._ends().items()}
            if _said_in(self._folder) != _text(receipts).encode():  # anew also what somebody took away or changed
                write_receipts(self._folder, receipts)
            self._written = receipts
            self._failing = False
        except (AutoLearnError, OSError) as trouble:
            if not self._failing:
                log.warning("%s cannot be written, trying on: %s", NAME, trouble)
            self._failing = True

    def _next(self, name: str, end: End) -> Receipt:
        position, found = self._written.get(name, (0, GENESIS))
        if (position, found) == (end.position, end.hash) or end.hash_at(position) == found:
            return end.position, end.hash
        if name not in self._broken:
            log.error("%s has not any more what it had at %s: run `autolearn verify`", end.name, position)
            self._broken.add(name)
        return position, found

    def _run(self) -> None:
        while not self._closing.wait(EVERY_SECONDS):
            self.write()
