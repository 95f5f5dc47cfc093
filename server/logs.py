"""What a process of the backend logs: one line per record, which no text of others can end, and tracebacks; or JSON."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

from autolearn.printable import visible
from commands.call import CORRELATION

LogFormat = Literal["text", "json"]

FORMAT = "%(asctime)s %(levelname)s %(service)s %(correlation)s %(message)s"
NONE = "-"
LONGEST = 5000  # characters of a text in JSON: two of them, six bytes each, fit into a line of `log_writer`
INDENT = "    "  # no line of a traceback begins as a record does
PER_CALL = ("asyncio", "uvicorn", "adapters.http", "adapters.serving")  # loggers that a caller can make speak
SECONDS = 1.0
MOST_KINDS = 200

logger = logging.getLogger(__name__)


class PrintableFormatter(logging.Formatter):
    """The standard one, whose texts steer no terminal and begin no record."""

    def __init__(self, service: str) -> None:
        super().__init__(FORMAT, defaults={"service": service, "correlation": NONE})

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging names it
        """Return the line of a record."""
        return visible(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - idem
        """Return a traceback."""
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - idem
        """Return a stack."""
        return _indented(super().formatStack(stack_info))


class JsonFormatter(logging.Formatter):
    """One object a line, in ASCII: no text can end it or steer a terminal."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        traceback = self.formatException(record.exc_info) if record.exc_info else record.stack_info
        facts = {
            "time": f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z",
            "level": record.levelname,
            "service": self._service,
            "correlation": getattr(record, "correlation", None),
            "logger": record.name,
            "message": record.getMessage()[:LONGEST],
        }
        return json.dumps(facts | ({"traceback": traceback[-LONGEST:]} if traceback else {}))


def log_to_standard_error(service: str, form: LogFormat = "text") -> None:
    """Log there, and what Python itself would print there too: warnings, and errors that end a thread."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service) if form == "json" else PrintableFormatter(service))
    handler.addFilter(LogLimit())
    handler.addFilter(_add_correlation)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.captureWarnings(capture=True)
    threading.excepthook = _log_end_of_thread


def _add_correlation(record: logging.LogRecord) -> bool:
    if correlation := CORRELATION.get():
        record.correlation = correlation
    return True


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
