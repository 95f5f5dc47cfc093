"""A launcher without processes: what each kind of task answers is scripted, or it runs until it is ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Condition
from typing import Any

from commands.ports import OfferName, TaskBroken, TaskDone, TaskOutcome, TaskSpec
from tests.commands.examples import OUTCOMES

TIMEOUT = 60.0
NEVER = None
MOST_MEMORY = 16 << 30

Script = Callable[[dict[str, Any]], TaskOutcome] | TaskOutcome | None


class Child:
    """Fulfils commands.ports.RunningTask; ends as scripted, by `end`, or by its cancellation."""

    pid = 0

    def __init__(self, spec: TaskSpec, changed: Condition) -> None:
        self.spec = spec
        self.outcome: TaskOutcome | None = None
        self.cancelled = False
        self._changed = changed

    def result(self) -> TaskOutcome:
        with self._changed:
            if not self._changed.wait_for(lambda: self.outcome is not None, TIMEOUT):
                return TaskBroken("deadline", "Nobody ended this child.")
            assert self.outcome is not None
            return self.outcome

    def go_on(self, _: TaskSpec) -> bool:
        return False

    def close(self) -> None:
        """There is nothing to end."""

    def end(self, outcome: TaskOutcome | None = None) -> None:
        scripted = OUTCOMES[self.spec.kind]
        with self._changed:
            self.outcome = self.outcome or outcome or scripted(self.spec.facts)
            self._changed.notify_all()

    def cancel(self) -> None:
        with self._changed:
            self.cancelled = True
        self.end(TaskBroken("cancelled", "The task was cancelled."))


class ScriptedLauncher:
    """Fulfils commands.ports.Launcher; `scripts` says per kind what is answered, None runs until it is ended."""

    most_memory = MOST_MEMORY

    def __init__(self, slots: int = 4) -> None:
        self.slots = self.free = slots
        self.scripts: dict[str, Script] = dict(OUTCOMES)
        self.children: list[Child] = []
        self.missing: set[OfferName] = set()
        self.before_start: Callable[[TaskSpec], object] = lambda _: None
        self._changed = Condition()

    def can_run(self, needs: Iterable[OfferName]) -> bool:
        return not self.missing.intersection(needs)

    def take_slot(self) -> bool:
        with self._changed:
            if self.free == 0:
                return False
            self.free -= 1
            return True

    def free_slot(self) -> None:
        with self._changed:
            assert self.free < self.slots, "a slot was given back twice"
            self.free += 1
            self._changed.notify_all()

    def start(self, spec: TaskSpec, *, stays: bool = False) -> Child:
        self.before_start(spec)
        child, script = Child(spec, self._changed), self.scripts[spec.kind]
        with self._changed:
            self.children.append(child)
            self._changed.notify_all()
        if script is not None:
            child.end(script(spec.facts) if callable(script) else script)
        return child

    def of(self, kind: str) -> list[Child]:
        """List the children of a kind, oldest first."""
        return [child for child in self.children if child.spec.kind == kind]

    def child(self, kind: str, number: int = 1) -> Child:
        """Wait for the n-th child of a kind."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.of(kind)) >= number, TIMEOUT), f"no {kind} was started"
            return self.of(kind)[number - 1]

    def all_free(self) -> bool:
        """Wait until all slots are free again."""
        with self._changed:
            return self._changed.wait_for(lambda: self.free == self.slots, TIMEOUT)


def done(**facts: Any) -> TaskDone:
    """Say what a child answered."""
    return TaskDone(facts)


def broken(reason: str, detail: str = "It broke.") -> TaskBroken:
    """Say how a child broke."""
    return TaskBroken(reason, detail)
