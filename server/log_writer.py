"""Writes `backend.log`: what a detached backend, and every process below it, say, in files that do not grow for ever.

`python -m server.log_writer FILE` reads standard input until nobody can write to it any more. A process of its own, so
that nothing is lost: neither what C libraries and tasks print, nor the last words before a crash.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import BinaryIO

from adapters.host.private_files import FILE, UMASK
from autolearn.printable import visible

FILES, LARGEST = 5, 10 << 20  # backend.log and four before it, of 10 MiB each
LONGEST_LINE = 1 << 16  # a longer one is written in pieces


def keep(said: BinaryIO, path: Path, *, files: int = FILES, largest: int = LARGEST) -> None:
    """Write line by line until the end, whatever the disk says: who speaks must not be held up."""
    logging.raiseExceptions = False  # a line that cannot be written is lost, the next one may be written again
    os.umask(UMASK)
    with suppress(OSError):
        path.chmod(FILE)  # an older one may have been open to others
    handler = RotatingFileHandler(path, maxBytes=largest, backupCount=files - 1, encoding="utf-8", delay=True)
    try:
        while line := said.readline(LONGEST_LINE):
            text = visible(line.decode(errors="replace").removesuffix("\n"))
            handler.handle(logging.makeLogRecord({"msg": text}))
    finally:
        handler.close()


def main() -> int:
    """Run until stdin closes and ignore signals."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    keep(sys.stdin.buffer, Path(sys.argv[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
