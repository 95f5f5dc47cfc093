"""Cancel a search that waits or runs; what its trials found stays on record."""

from __future__ import annotations

from dataclasses import dataclass

from commands.context import CommandContext
from commands.lookup import find_search
from commands.ports import StoredAppend
from commands.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class CancelSearch:
    """A search's id, or a prefix of it."""

    search: str


def cancel_search(command: CancelSearch, context: CommandContext) -> StoredAppend | None:
    """Append the cancellation, then end what runs here; elsewhere its own process sees the event."""

    def decision(work: UnitOfWork) -> list[str]:
        search = find_search(work, context.call, command.search)
        running = [task.id for task in search.unfinished_tasks()]
        search.cancel_all()
        return running

    running, appended = context.decide(decision)
    context.tasks.cancel(*running)
    return appended
