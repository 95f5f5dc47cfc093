"""Waiting for what nobody announces."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from time import monotonic

TIMEOUT = 30.0


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something holds that nothing announces."""
    end, pause = monotonic() + TIMEOUT, Event()
    while not condition():
        assert monotonic() < end
        pause.wait(0.01)
