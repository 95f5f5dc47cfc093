"""What a process of the backend logs: one line per record, which no text of others can end, and tracebacks."""

from __future__ import annotations

import logging
import sys
import threading
from typing import Any

from adapters.host.printable import visible

FORMAT = "%(asctime)s %(levelname)s %(message)s"
INDENT = "    "  # no line of a traceback begins as a record does

log = logging.getLogger(__name__)


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
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells of every call that the gateway passes on
    logging.captureWarnings(capture=True)
    threading.excepthook = _log_end_of_thread


def _log_end_of_thread(it: threading.ExceptHookArgs) -> None:
    if it.exc_type is not SystemExit:  # as Python's own hook does
        log.error("thread %s ended by an error", it.thread.name if it.thread else "?", exc_info=it.exc_value)


def _indented(text: str) -> str:
    return "\n".join(INDENT + visible(line) for line in text.split("\n"))
