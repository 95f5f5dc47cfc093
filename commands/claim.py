"""Claiming a task while deciding: with a free slot `…-started` goes into the same append, and it runs here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from commands.context import CommandContext
from commands.ports import StoredAppend
from commands.specifications import required_offers
from commands.unit_of_work import UnitOfWork
from domain.task import TaskOwner


class Claim:
    """A slot, if one was free, and the task it is meant for."""

    def __init__(self, context: CommandContext, *, has_slot: bool) -> None:
        self.context = context
        self.has_slot = has_slot
        self._started: tuple[str, int] | None = None
        self._announce: Callable[[str], None] = lambda _: None

    def start(self, owner: TaskOwner, task: str) -> str:
        """Trigger the task's `…-started` if there is a slot and all it needs is installed; return the task's id."""
        if self.has_slot and self.context.ports.launcher.can_run(required_offers(owner, task)):
            attempt = owner.tasks[task].attempt + 1
            owner.start(task, attempt, self.context.ports.worker)
            self._started = (task, attempt)
            self._announce(task)
        return task

    def decide(self, decision: Callable[[UnitOfWork], str]) -> StoredAppend | None:
        """Append what the decision triggers, then run what it started."""
        quota, client = self.context.tasks.quota, self.context.call.client
        with quota.reserve_task(client), self.context.tasks.announce_claims() as self._announce:
            task, appended = self.context.decide(decision)
            if appended is not None:
                quota.add_task(task, client)
            if appended is not None and self._started is not None:
                self.has_slot = False  # the task gives the slot back at its end
                self.context.tasks.run(*self._started, self.context)
        return appended


@contextmanager
def claim_slot(context: CommandContext) -> Iterator[Claim]:
    """Take a slot for the decision if one is free and the call may wait; give it back if nothing was started.

    If others already wait for a slot, the call waits with them.
    """
    may_claim = context.wait > 0 and not context.tasks.is_crowded
    claim = Claim(context, has_slot=may_claim and context.ports.launcher.take_slot())
    try:
        yield claim
    finally:
        if claim.has_slot:
            context.ports.launcher.free_slot()
