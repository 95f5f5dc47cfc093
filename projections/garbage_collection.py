"""Rest for the garbage collector while a feed decodes and a fold works."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """Let the garbage collector rest for some milliseconds: decoding and folding make many objects and no cycles.

    Without this, a replay that keeps what it reads spends two thirds of its time in looking for garbage.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
