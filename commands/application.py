"""The write side as one object: takes a command and a call, and answers. Made once, by `cli/compose.py`."""

from __future__ import annotations

from typing import Any

from commands.call import Answer, Call
from commands.dispatch import USE_CASES
from commands.ports import DuplicateAppend, Ports
from commands.tasks import Tasks
from commands.wrappers import Desk

SYNC_SECONDS = 60.0


class Application:
    """Runs commands: each at most once, whatever is repeated."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports
        self.tasks = Tasks(ports)

    def handle(self, command: Any, call: Call, *, wait: float = SYNC_SECONDS) -> Answer:
        """Run a command, or answer its repeat from the log; `wait` seconds for a task's end (0: answer at once).

        Raises domain.errors; what is refused has changed nothing and runs anew when repeated.
        """
        use_case = USE_CASES[type(command)]
        desk = Desk(self.ports, self.tasks, call, wait)
        receipt = desk.first_append()
        if receipt is None:
            try:
                receipt = use_case.decide(command, desk)
            except DuplicateAppend as first_run:
                receipt = first_run.receipt
                desk.check_same(receipt)
        return use_case.answer(command, receipt, desk)

    def close(self) -> None:
        """End the tasks of this process; their experiments stay started in the log, for the next start to take over."""
        self.tasks.close()
