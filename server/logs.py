"""What a process of the backend logs: one line per record, which no text of others can end, and tracebacks."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from adapters.host.printable import visible

FORMAT = "%(asctime)s %(levelname)s %(message)s"
INDENT = "    "  # no line of a traceback begins as a record does
PER_CALL = ("asyncio", "uvicorn", "adapters.http", "adapters.serving")  # loggers that a caller can make speak
SECONDS = 1.0
MOST_KINDS = 200

logger = logging.getLogger(__name__)


class PrintableFormatter(logging.Formatter):
    """The standard one, whose texts steer no terminal and begin no record."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging names it
        """Return the line of a record."""
        return visible(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - idem
        """Return a traceback."""
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - idem
        """Return a stack."""
        return _indented(super().formatStack(stack_info))


def log_to_standard_error() -> None:
    """Log there, and what Python itself would print there too: warnings, and errors that end a thread."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PrintableFormatter(FORMAT))
    handler.addFilter(LogLimit())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.captureWarnings(capture=True)
    threading.excepthook = _log_end_of_thread


def _log_end_of_thread(it: threading.ExceptHookArgs) -> None:
    if it.exc_type is not SystemExit:  # as Python's own hook does
        logger.error("thread %s ended by an error", it.thread.name if it.thread else "?", exc_info=it.exc_value)


def _indented(text: str) -> str:
    return "\n".join(INDENT + visible(line) for line in text.split("\n"))


class LogLimit(logging.Filter):
    """Lets one record a second of each kind pass, and says how many it left out since the last one.

    Kinds are logger and text before its values are put in. An error of the system is told in one line.
    """

    def __init__(self, seconds: float = SECONDS, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._seconds, self._now = seconds, now
        self._kinds: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Decide about a record."""
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
