"""What the write side needs from outside, as small Protocols with named errors; adapters implement them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Protocol
from uuid import UUID

from domain.events import Event, Metadata
from domain.values import BlobRef


@dataclass(frozen=True, slots=True)
class AppendHeader:
    """What the log knows about an append: its command, its own id uuid5(command id, k), who and why.

    `digest` is the SHA-256 (hex) of the command's opened body; only a command's first append carries it.
    """

    command_id: UUID
    append_id: UUID
    metadata: Metadata
    digest: str = ""


@dataclass(frozen=True, slots=True)
class StoredAppend:
    """An append as the log has it: events at positions first..position, one UTC time, one chain hash (32 bytes)."""

    first: int
    position: int
    at: datetime
    header: AppendHeader
    hash: bytes
    events: tuple[Event, ...]


class VersionConflict(Exception):  # noqa: N818 - control flow between append and retry, not a failure
    """Somebody else appended to one of the streams first: load and decide again."""


class DuplicateAppend(Exception):  # noqa: N818 - control flow: the repeat of a command found its first run
    """The append id is in the log already; `appended` is what was stored then."""

    def __init__(self, appended: StoredAppend) -> None:
        super().__init__(str(appended.header.append_id))
        self.appended = appended


class EventStore(Protocol):
    """The log. An append is durable when the call returns; positions are 1, 2, 3 … without holes."""

    def append(self, events: Sequence[Event], header: AppendHeader) -> StoredAppend:
        """Store all events of one command, or none.

        Raises VersionConflict, DuplicateAppend, TooLargeError (1,000 events, 8 MB, 256 KiB an event), NotAbleError.
        """
        ...

    def stream(self, stream: str, until: int | None = None) -> list[Event]:
        """Return the events of a stream in order, up to the commit that covers position `until`."""
        ...

    def version(self, stream: str) -> int:
        """Return the version of the stream's last event; 0 if it has none."""
        ...

    def streams(self, prefix: str, limit: int) -> list[str]:
        """Return up to `limit` names of existing streams with this prefix, in order."""
        ...

    def find_append(self, append_id: UUID) -> StoredAppend | None:
        """Return the append of this id."""
        ...

    def end(self) -> tuple[int, bytes]:
        """Return the last commit's position and chain hash; (0, 32 zero bytes) for an empty log."""
        ...


class Blobs(Protocol):
    """Content-addressed files, named by the SHA-256 (hex) of their bytes. Nothing is ever overwritten or deleted.

    `fault` is a sentence while their store cannot be used; it names no place. Methods then raise NotAbleError.
    """

    @property
    def fault(self) -> str | None: ...

    def put_file(self, path: str) -> BlobRef:
        """Take in a finished local file (moved if possible, not copied)."""
        ...

    def open(self, sha256: str) -> BinaryIO:
        """Open for reading; raises BlobMissing."""
        ...

    def scratch(self, suffix: str) -> str:
        """Return a path for a temporary file on the blobs' disk; leftovers are swept at start."""
        ...


class BlobMissing(Exception):  # noqa: N818 - named as users of the port speak of it
    """No blob has this SHA-256."""


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """What a task process receives: its kind (fit, score, …: docs/architecture.md) and JSON-able facts.

    `memory` (bytes) and `deadline` (seconds) are its limits where they are not those of the launcher. `in_call`: its
    caller waits, so an outage of the blobs' store is told, not waited for.
    """

    kind: str
    facts: dict[str, Any]
    memory: int | None = None
    deadline: float | None = None
    in_call: bool = False


@dataclass(frozen=True, slots=True)
class TaskDone:
    """The child's answer: JSON-able facts."""

    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TaskBroken:
    """No answer. Reason: crashed, killed, memory-limit, deadline, cancelled, bad-input or error; detail is a sentence.

    `killed` is by somebody else: the OOM killer, a signal, the end of what made the process. It says nothing of the
    task, so the task gets its next attempt. All others do.
    """

    reason: str
    detail: str

    @property
    def is_killed(self) -> bool:
        return self.reason == "killed"


TaskOutcome = TaskDone | TaskBroken


OfferName = tuple[str, str]
"""`model` or `measure`, and its name in the catalog."""


class RunningTask(Protocol):
    """One child process that works on one task."""

    pid: int

    def result(self) -> TaskOutcome:
        """Wait for the end (deadline and memory limit are enforced meanwhile) and return how it ended."""
        ...

    def cancel(self) -> None:
        """Kill the child; `result` then returns TaskBroken('cancelled', …). Safe at any time, from any thread."""
        ...

    def go_on(self, spec: TaskSpec) -> bool:
        """Give a child that stays its next task, whose end is the next `result`; False if it cannot do one."""
        ...

    def close(self) -> None:
        """End a child that stays. Twice is harmless."""
        ...


class Launcher(Protocol):
    """Makes one process per task, with a limited number of slots for fits, scores and reproductions.

    `most_memory`: the memory (bytes) of this machine, the most that a task can be given.
    """

    most_memory: int

    def take_slot(self) -> bool: ...

    def free_slot(self) -> None: ...

    def can_run(self, needs: Iterable[OfferName]) -> bool:
        """Tell whether the models and measures that a task needs are installed here; true if that is not known."""
        ...

    def start(self, spec: TaskSpec, *, stays: bool = False) -> RunningTask:
        """Start a process for the task. It has its blobs and its specification, no database and no keys.

        One that `stays` waits for further tasks until it is closed; a task that breaks ends it all the same.
        Raises NotAbleError if none can be made now, or its blobs cannot be had; DiskReserveError without room for them.
        """
        ...


class Clock(Protocol):
    """The time of day, for deadlines of credentials and the like; the log's own times come from the store."""

    def now(self) -> datetime:
        """Return the time, UTC, with zone."""
        ...


class RetryPolicy(Protocol):
    """How often, and after which pauses, a decision that lost a race is made again."""

    @property
    def limit(self) -> int: ...

    def attempts(self) -> Iterable[int]:
        """Yield 1, 2, … up to the limit; each but the first after a random pause that grows."""
        ...


class OpenTasks(Protocol):
    """Lists the tasks that are unfinished, for the event worker's start and its later checks."""

    def list_unfinished(self, timeout: float) -> list[str]:
        """Return ids of tasks (`<experiment>`, `<experiment>-e1`, `<experiment>-r1`) that wait or run, oldest first.

        Raises NotReachedError if that is not known within `timeout` seconds.
        """
        ...


class PositionedEvent(Protocol):
    """An event at its position in the log, with the time of its commit."""

    @property
    def position(self) -> int: ...

    @property
    def at(self) -> datetime: ...

    @property
    def event(self) -> Event: ...


class EventFeed(Protocol):
    """The log as the event worker follows it."""

    def after(self, position: int, limit: int) -> Sequence[PositionedEvent]:
        """Return the events of whole commits after `position`."""
        ...

    def wait_beyond(self, position: int, timeout: float) -> bool:
        """Wait until the log is longer than `position`; False after `timeout` seconds."""
        ...


class HandledEvents(Protocol):
    """Where an event worker records each event that it acted on: the audit log."""

    def record_event(self, event: Event, position: int, outcome: str, milliseconds: float) -> None:
        """Record one handled event; outcome is a word (started, cancelled, failed, skipped)."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything outside that a command may use; made once, by `server/compose`."""

    store: EventStore
    blobs: Blobs
    launcher: Launcher
    clock: Clock
    worker: str
    retry: RetryPolicy
