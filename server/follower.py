"""Follower: a process `relay` or `project`, with as many standbys as one likes; how it starts, and how it ends."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.distributed.membership.standby import Standby
    from adapters.http.routes.process_health import Vitals


@dataclass
class Follower:
    """One such process: its works, each of which it does or stands by for, and what it tells of itself."""

    works: tuple[Standby, ...]
    vitals: Vitals
    opened: ExitStack
    _stopping: Event = field(default_factory=Event)
    _threads: list[Thread] = field(default_factory=list)

    def start(self) -> None:
        """Begin each work, or stand by for it."""
        for work in self.works:
            self._threads.append(Thread(target=work.run, args=(self._stopping,), name="standby", daemon=True))
            self._threads[-1].start()

    def stop(self) -> None:
        """Give up what is in charge here, so that a standby goes on at once."""
        self._stopping.set()

    def close(self) -> None:
        """Stop, and close what was opened."""
        self.stop()
        for thread in self._threads:
            thread.join()
        self.opened.close()
