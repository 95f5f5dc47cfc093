"""The write side as one object: takes a command and a call, and answers. Made once, by `cli/compose`."""

from __future__ import annotations

from typing import Any

from commands.call import Answer, Call
from commands.dispatch import USE_CASES, UseCase
from commands.ports import DuplicateAppend, Ports, Receipt
from commands.tasks import Tasks
from commands.wrappers import Desk
from domain.errors import AutoLearnError

SYNC_SECONDS = 60.0


class Application:
    """Runs commands: each at most once, whatever is repeated."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports
        self.tasks = Tasks(ports)
        self._last_sessions: dict[str, int] = {}

    def handle(self, command: Any, call: Call, *, wait: float = SYNC_SECONDS) -> Answer:
        """Run a command, or answer its repeat from the log; `wait` seconds for a task's end (0: answer at once).

        Raises domain.errors; what is refused has changed nothing and runs anew when repeated.
        """
        use_case = USE_CASES[type(command)]
        desk = Desk(self.ports, self.tasks, call, wait, last_sessions=self._last_sessions)
        receipt = desk.first_append() or _decided(use_case, command, desk)
        return use_case.answer(command, receipt, desk)

    def close(self) -> None:
        """End the tasks of this process; their experiments stay started in the log, for the next start to take over."""
        self.tasks.close()


def _decided(use_case: UseCase, command: Any, desk: Desk) -> Receipt | None:
    """Decide; where the same command ran at the same time and was first, its append is ours too.

    The one that came second meets its own effect (`no open session` after its own commit): that is no refusal.
    """
    try:
        receipt = use_case.decide(command, desk)
    except DuplicateAppend as first_run:
        desk.check_same(first_run.receipt)
        return first_run.receipt
    except AutoLearnError:
        meanwhile = None if desk.appends else desk.first_append()
        if meanwhile is None:
            raise
        return meanwhile
    return receipt or desk.first_append()
