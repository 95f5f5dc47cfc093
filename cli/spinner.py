"""A line on stderr that shows that something takes its time: the seconds so far, and how far it is, if known."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Self

from adapters.host.printable import PrintableStream, visible

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
SILENT_SECONDS = 0.3  # what is done by then shows nothing
FRAME_SECONDS = 0.1
BAR = 24


class Spinner:
    """A context; `saw` moves the bar."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._fraction: float | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._draw, daemon=True)

    def saw(self, what: str, fraction: float | None = None) -> None:
        """Say what is being done now, and how much of it (0..1) is done."""
        self._what, self._fraction = what, fraction

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wipe the line."""
        self._ended.set()
        self._thread.join()

    def _draw(self) -> None:
        begin, number = time.monotonic(), 0
        if self._ended.wait(SILENT_SECONDS):
            return
        while True:
            seconds = time.monotonic() - begin
            _draw(f"{FRAMES[number % len(FRAMES)]} {visible(self._what)}{self._bar()} {seconds:.0f} s")
            number += 1
            if self._ended.wait(FRAME_SECONDS):
                break
        _draw("")

    def _bar(self) -> str:
        if self._fraction is None:
            return ""
        done = round(min(max(self._fraction, 0.0), 1.0) * BAR)
        return f" [{'#' * done}{'.' * (BAR - done)}]"


def _draw(text: str) -> None:
    """Write the line anew; only here are control characters meant."""
    stream = sys.stderr
    drawing = stream.stream if isinstance(stream, PrintableStream) else stream
    drawing.write(f"\r\033[K{text}")
    drawing.flush()
