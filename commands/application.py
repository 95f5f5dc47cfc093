"""The write side as one object: takes a command and a call, and answers. Made once, by `server/compose`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from commands.call import Answer, Call
from commands.context import CommandContext
from commands.dispatch import USE_CASES, UseCase
from commands.ports import DuplicateAppend, Ports, StoredAppend
from commands.tasks import Tasks
from domain.errors import AutoLearnError
from domain.task_events import TaskRequested

SYNC_SECONDS = 60.0


@dataclass(frozen=True)
class RunningCommand:
    """A command that is in the log, or had nothing to change. A caller waits for its task before `answer`."""

    use_case: UseCase
    command: Any
    appended: StoredAppend | None
    context: CommandContext

    @property
    def task(self) -> str | None:
        events = self.appended.events if self.appended else ()
        return next((event.task for event in events if isinstance(event, TaskRequested)), None)

    def add_end_listener(self, listener: Callable[[], None]) -> None:
        """Call back, from any thread, once the end of its task is in the log; at once if no task runs here."""
        if self.task is None:
            listener()
        else:
            self.context.tasks.add_end_listener(self.task, listener)

    def remove_end_listener(self, listener: Callable[[], None]) -> None:
        """Remove a listener that does not wait any longer."""
        if self.task is not None:
            self.context.tasks.remove_end_listener(self.task, listener)

    def answer_now(self) -> Answer:
        self.context.wait = 0.0
        return self.answer()

    def answer(self) -> Answer:
        return self.use_case.answer(self.command, self.appended, self.context)


class Application:
    """Runs commands: each at most once, whatever is repeated."""

    def __init__(self, ports: Ports, check_commands: Callable[[], None] = lambda: None) -> None:
        self.ports, self._check_commands = ports, check_commands
        self.tasks = Tasks(ports)
        self._last_sessions: dict[str, int] = {}

    def handle(self, command: Any, call: Call, *, wait: float = SYNC_SECONDS) -> Answer:
        """Run a command, or answer its repeat from the log; `wait` seconds for a task's end (0: answer at once).

        Raises domain.errors. A refused command has changed nothing, and runs again when repeated.
        """
        return self.begin(command, call, wait=wait).answer()

    def begin(self, command: Any, call: Call, *, wait: float) -> RunningCommand:
        """Decide and append like `handle`, without waiting for the task; with `wait` > 0 it may take a free slot."""
        use_case = USE_CASES[type(command)]
        context = CommandContext(self.ports, call, last_sessions=self._last_sessions, tasks=self.tasks, wait=wait)
        appended = context.first_append()
        if appended is None:
            self._check_commands()
            appended = _decide(use_case, command, context)
        return RunningCommand(use_case, command, appended, context)

    @property
    def is_ending(self) -> bool:
        """Whether its tasks were ended, as its process is to stop."""
        return self.tasks.is_ending

    def end_tasks(self) -> None:
        """End the tasks of this process, and return at once; whoever waits for one is answered that it is unfinished.

        Their experiments stay started in the log, for the next start to take over.
        """
        self.tasks.end_all()

    def close(self) -> None:
        """End the tasks of this process, and return when nothing is appended for them any more."""
        self.tasks.close()


def _decide(use_case: UseCase, command: Any, context: CommandContext) -> StoredAppend | None:
    """Decide; if the same command ran at the same time and was first, its append is ours too.

    The second run meets the effect of the first (`no open session` after its own commit), which is not a refusal.
    """
    try:
        appended = use_case.decide(command, context)
    except DuplicateAppend as first_run:
        context.check_same(first_run.appended)
        return first_run.appended
    except AutoLearnError:
        meanwhile = None if context.append_count else context.first_append()
        if meanwhile is None:
            raise
        return meanwhile
    return appended or context.first_append()
