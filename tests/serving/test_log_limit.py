"""What callers can cause is one line a second in the log, and never a traceback of the system's errors."""

from __future__ import annotations

import errno
import logging

from server.logs import LogLimit


class Lines(logging.Handler):
    """Keeps what passes."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.lines = 0.0, list[str]()
        self.addFilter(LogLimit(now=lambda: self.now))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    def hear(self, name: str, text: str, *values: object, error: Exception | None = None) -> None:
        record = logging.LogRecord(name, logging.ERROR, "", 0, text, values, None)
        record.exc_info = (type(error), error, None) if error else None
        self.handle(record)


def test_one_line_a_second_of_each_kind_and_a_count_of_the_others() -> None:
    heard = Lines()
    for second in range(3):
        heard.now = second * 1.5
        for n in range(1000):
            heard.hear("uvicorn.error", "Invalid request %s", n)
            heard.hear("adapters.http.app", "%s does not answer", n)
    assert heard.lines == [
        "Invalid request 0",
        "0 does not answer",
        *["Invalid request 0 (999 more like this before)", "0 does not answer (999 more like this before)"] * 2,
    ]


def test_no_descriptors_is_one_line() -> None:
    heard = Lines()
    error = OSError(errno.EMFILE, "Too many open files")
    heard.hear("asyncio", "socket.accept() out of system resource\nsocket: <fd 3>", error=error)
    heard.hear("asyncio", "socket.accept() out of system resource\nsocket: <fd 4>", error=error)
    assert heard.lines == ["socket.accept() out of system resource: OSError: [Errno 24] Too many open files"]


def test_faults_of_ours_keep_their_traceback_and_other_loggers_all_lines() -> None:
    heard = Lines()
    heard.hear("adapters.http.middleware.request_pipeline", "GET /session", error=ValueError("a fault"))
    assert "ValueError: a fault" in heard.lines[0]
    for n in range(3):
        heard.hear("server.runner", "%s ended", n)
    assert heard.lines[1:] == ["0 ended", "1 ended", "2 ended"]


def test_it_remembers_few_kinds() -> None:
    heard = Lines()
    for n in range(10_000):
        heard.hear("asyncio", f"text {n}")
    assert len(heard.lines) == 10_000
    assert all(len(it._kinds) <= 200 for it in heard.filters if isinstance(it, LogLimit))
