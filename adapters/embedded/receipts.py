"""`receipts.json`: how far log and audit log had come, kept beside them: the next start notices a lost end by it.

It is written about once a second, never in the time of a call, and only what is on disk already is written.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from threading import Event as Signal
from threading import Thread
from typing import Final

from adapters.durability import write_whole
from domain.errors import AutoLearnError

log = logging.getLogger(__name__)

NAME: Final = "receipts.json"
LOG, AUDIT = "log", "audit"
EVERY_SECONDS: Final = 1.0
HASH_BYTES: Final = 32

Receipt = tuple[int, bytes]
Ends = dict[str, Receipt]


def read_receipts(folder: Path) -> Ends:
    """Return position and hash by name, as far as the file tells; it is evidence of a loss, its absence is none."""
    try:
        content = json.loads((folder / NAME).read_bytes())
        return {name: _receipt(content[name]) for name in (LOG, AUDIT)}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        log.warning("%s cannot be read, so it does not show whether an end of the log was lost", folder / NAME)
        return {}


def write_receipts(folder: Path, ends: Ends) -> None:
    """Replace the file."""
    write_whole(
        folder / NAME, json.dumps({name: f"{position}:{found.hex()}" for name, (position, found) in ends.items()})
    )


class ReceiptKeeper:
    """Writes the file of one process that owns the data directory; `ends` tells what is stored for good now."""

    def __init__(self, folder: Path, ends: Callable[[], Ends]) -> None:
        self._folder, self._ends = folder, ends
        self._written: Ends = {}
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
            ends = self._ends()
            if ends != self._written:
                write_receipts(self._folder, ends)
                self._written = ends
        except (AutoLearnError, OSError) as trouble:
            log.warning("%s could not be written: %s", NAME, trouble)

    def _run(self) -> None:
        while not self._closing.wait(EVERY_SECONDS):
            self.write()


def _receipt(text: str) -> Receipt:
    position, _, found = text.partition(":")
    receipt = int(position), bytes.fromhex(found)
    if receipt[0] < 0 or len(receipt[1]) != HASH_BYTES:
        raise ValueError(text)
    return receipt
