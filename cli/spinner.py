"""A line on stderr that shows that something takes its time: the seconds so far, and how far it is, if known."""

from __future__ import annotations

import sys
import threading
import time
from typing import Self

from autolearn.printable import PrintableStream, visible

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
SILENT_SECONDS = 0.3  # a shorter wait shows nothing
FRAME_SECONDS = 0.1
BAR_WIDTH = 24


class Spinner:
    """Drawn as long as its context is open."""

    def __init__(self, activity: str) -> None:
        self._activity = activity
        self._fraction: float | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._draw, daemon=True)

    def update(self, activity: str, fraction: float | None = None) -> None:
        """Say what is being done now, and how much of it (0..1) is done."""
        self._activity, self._fraction = activity, fraction

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _draw(self) -> None:
        start, number = time.monotonic(), 0
        if self._ended.wait(SILENT_SECONDS):
            return
        while True:
            bar = ""
            if self._fraction is not None:
                done = round(min(max(self._fraction, 0.0), 1.0) * BAR_WIDTH)
                bar = f" [{'#' * done}{'.' * (BAR_WIDTH - done)}]"
            frame, seconds = FRAMES[number % len(FRAMES)], time.monotonic() - start
            _redraw_line(f"{frame} {visible(self._activity)}{bar} {seconds:.0f} s")
            number += 1
            if self._ended.wait(FRAME_SECONDS):
                break
        _redraw_line("")


def _redraw_line(text: str) -> None:
    """Write past the filter of control characters: only here are they meant."""
    stream = sys.stderr
    drawing = stream.stream if isinstance(stream, PrintableStream) else stream
    drawing.write(f"\r\033[K{text}")
    drawing.flush()
