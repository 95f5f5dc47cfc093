"""Many threads that do something at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

T = TypeVar("T")


def at_once(number: int, action: Callable[[int], T]) -> list[T]:
    """Return what each thread's action returned; raise what the first failing one raised."""
    barrier = Barrier(number, timeout=20)

    def run(index: int) -> T:
        barrier.wait()
        return action(index)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))
