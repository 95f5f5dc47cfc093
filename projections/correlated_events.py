"""The events of one call, and of the tasks that it asked for: found without an index, and without reading the log.

The audit log has an index of correlations, and its records have positions. From the commits there the search goes on to
the streams of tasks, where later events of the same call are, and to the commits that bring other streams.
"""

from __future__ import annotations

from typing import Final

from domain.events import Event
from domain.search_events import SearchRequested
from domain.task_events import (
    AllTasksEnded,
    TaskCancelled,
    TaskCompleted,
    TaskFailed,
    TasksRequested,
    TaskStarted,
)
from projections.ports import AuditLog, Feed, Recorded

MOST_RECORDS: Final = 1000  # of the audit log; any of them leads to the same events
AFTER_A_START: Final = 1000  # so many positions hold what a process appends at its start
OF_TASKS: Final = (TasksRequested, TaskStarted, TaskCompleted, TaskFailed, TaskCancelled, SearchRequested)


def correlated_events(feed: Feed, audit_log: AuditLog, correlation: str, until: int) -> list[Recorded] | None:
    """Return the events of commits up to a position, in order; None where the audit log has no record of the call."""
    records = [it.content for it in audit_log.page({"correlation": correlation}, None, MOST_RECORDS)]
    if not records:
        return None
    starts = {it.domain_position: AFTER_A_START for it in records if it.kind == "process"}
    calls = [it for it in records if it.kind != "message"]
    positions = {it.domain_position: 1 for it in (*records[:1], *records[-1:], *calls)} | starts
    waiting = [one for at, length in positions.items() for one in feed.after(max(at - 1, 0), length)]
    found, streams, commits = dict[int, Recorded](), set[str](), set[int]()
    while waiting:
        one = waiting.pop()
        if one.position in found or one.commit > until or one.event.metadata.correlation != correlation:
            continue
        found[one.position] = one
        stream = one.event.originator_id
        if stream not in streams and _goes_on(one.event):
            streams.add(stream)
            waiting += feed.of_stream(stream, until)
        if one.commit not in commits and _brings_others(one.event):
            commits.add(one.commit)
            waiting += feed.after(one.commit - 1, 1)
    return [found[position] for position in sorted(found)]


def _goes_on(event: Event) -> bool:
    """Tell whether the stream of an event can have more events of the same call."""
    return isinstance(event, OF_TASKS) or _ends_search(event)


def _brings_others(event: Event) -> bool:
    """Tell whether an event's commit can have events of the same call in other streams."""
    return isinstance(event, (TasksRequested, SearchRequested)) or _ends_search(event)


def _ends_search(event: Event) -> bool:
    return isinstance(event, AllTasksEnded) and event.originator_id.startswith("search:")
