"""The read models checked in a process of their own, while their caller checks the rest of a large installation."""

from __future__ import annotations

import os
from collections.abc import Iterator
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final

from adapters.host.processes import python_command
from commands.cancellation import Cancellation
from server.compose.stores import environment
from server.inspection.pipes import steps_of_process
from server.settings import Settings

Step = dict[str, Any]
READ_MODELS: Final = "read-models"  # the inspection that it does
WORTH_EVENTS: Final = 20_000  # below, starting a process takes longer than it saves


class ReadModelProcess:
    """Reads the same stores at one position. A thread takes what it says, so that it never waits to say it."""

    def __init__(self, settings: Settings, *, is_offline: bool) -> None:
        self._settings, self._is_offline, self._cancellation = settings, is_offline, Cancellation()
        self._said: SimpleQueue[Step | Exception] = SimpleQueue()

    def begin(self, position: int) -> Iterator[Step] | None:
        """Start it where that helps; the iterator gives its progress, and last `{faults}`, or raises what ended it."""
        if position < WORTH_EVENTS or len(os.sched_getaffinity(0)) == 1 or self._would_copy():
            return None
        Thread(target=self._listen, args=(position,), name="read models", daemon=True).start()
        return self._steps(position)

    def end(self) -> None:
        self._cancellation.request()

    def _steps(self, position: int) -> Iterator[Step]:
        while True:
            said = self._said.get()
            if isinstance(said, Exception):
                raise said
            if "result" in said:
                yield said["result"]
                return
            yield {"position": round(said["progress"] * position), "of": position}

    def _would_copy(self) -> bool:
        """Tell whether it had to copy databases that a killed backend left."""
        return self._is_offline and any(file.stat().st_size for file in self._settings.data.glob("*.db-wal"))

    def _listen(self, position: int) -> None:
        command, arguments = python_command("server.inspection", READ_MODELS), {"position": position}
        try:
            for step in steps_of_process(command, environment(self._settings), arguments, self._cancellation):
                self._said.put(step)
        except Exception as failure:  # noqa: BLE001 - raised to whoever waits for a step
            self._said.put(failure)
