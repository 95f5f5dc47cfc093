"""A log that callers cannot fill: of what they can cause, one line a second of each kind."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

PER_CALL = ("asyncio", "uvicorn", "adapters.http", "adapters.serving")  # loggers that a caller can make speak
SECONDS = 1.0
MOST_KINDS = 200


class LogLimit(logging.Filter):
    """Lets one record a second of each kind pass, and says how many it left out since the last one.

    Kinds are logger and text before its values are put in. An error of the system is told in one line.
    """

    def __init__(self, seconds: float = SECONDS, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._seconds, self._now = seconds, now
        self._kinds: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(PER_CALL):
            return True
        kind = (record.name, str(record.msg).partition("\n")[0])
        last, left_out = self._kinds.get(kind, (float("-inf"), 0))
        if self._now() - last < self._seconds:
            self._kinds[kind] = (last, left_out + 1)
            return False
        if len(self._kinds) >= MOST_KINDS:
            self._kinds.clear()
        self._kinds[kind] = (self._now(), 0)
        _shorten(record, left_out)
        return True


def _shorten(record: logging.LogRecord, left_out: int) -> None:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, OSError):
        record.msg = f"{record.getMessage().partition(chr(10))[0]}: {type(error).__name__}: {error}"
        record.args, record.exc_info, record.exc_text = (), None, None
    if left_out:
        record.msg, record.args = f"{record.getMessage()} ({left_out:,} more like this before)", ()
