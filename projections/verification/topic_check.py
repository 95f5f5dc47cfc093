"""A log and its copy in a topic, compared position by position: the same, in the same order, and no more."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any, Generic, Protocol, TypeVar

from projections.ports import Finding, RawCommit, StoredAuditRecord

BATCH = 1000
MOST_FAULTS = 1000  # of one topic


class Positioned(Protocol):
    """A commit of the log, or a record of the audit log."""

    @property
    def position(self) -> int: ...


T = TypeVar("T", bound=Positioned)


class Topics(Protocol):
    """Everything that the topics hold, from their first record to their last, also what should not be there.

    A record that is not part of a whole commit, or communication, of this installation comes as (position, what); the
    position is None where it tells none. Raises NotAbleError.
    """

    def commits(self, until: int, timeout: float) -> Iterator[RawCommit | Finding]:
        """Stream the events topic; where it ends before position `until`, wait for more up to `timeout` seconds."""
        ...

    def audit_log(self, until: int, timeout: float) -> Iterator[StoredAuditRecord | Finding]:
        """Stream the audit log's topic likewise."""
        ...


@dataclass
class Original(Generic[T]):
    """The log itself, read on from where it had ended before: it grows while its copy is read."""

    after: Callable[[int, int], list[T]]
    _position: int = 0
    _ahead: deque[T] = field(default_factory=deque)

    def next_until(self, position: int) -> T | None:
        """Return and pass the next one that is not beyond `position`."""
        if not self._ahead:
            self._ahead.extend(self.after(self._position, BATCH))
        if not self._ahead or self._ahead[0].position > position:
            return None
        taken = self._ahead.popleft()
        self._position = max(taken.position, self._position + 1)  # a damaged position must not be read for ever
        return taken


@dataclass
class CopyCheck(Generic[T]):
    """One topic against its original. `what` names the topic; `faults` are those found so far, MOST_FAULTS at most."""

    what: str
    original: Callable[[int, int], list[T]]
    until: int
    faults: list[Finding] = field(default_factory=list)
    last: int = 0

    def run(self, copy: Iterable[T | Finding]) -> Iterator[int]:
        """Yield positions now and then; afterwards all faults are known, or as many as are listed."""
        ours = Original(self.original)
        for number, theirs in enumerate(copy):
            for finding in self._compare(ours, theirs):
                self.faults.append(finding)
                if len(self.faults) >= MOST_FAULTS:
                    return
            if number % BATCH == 0:
                yield self.last
        if (missing := ours.next_until(self.until)) is not None:
            self.faults.append((missing.position, f"{self.what} ends at {self.last} and lacks up to {self.until}"))
        yield self.until

    def _compare(self, ours: Original[T], theirs: T | Finding) -> Iterator[Finding]:
        if isinstance(theirs, tuple):
            yield theirs
            return
        if theirs.position <= self.last:
            yield theirs.position, f"{self.what} holds {theirs.position} after {self.last}: twice, or in another order"
            return
        self.last = theirs.position
        lacking = list[int]()  # the first, and the last
        while (it := ours.next_until(theirs.position)) is not None and it.position < theirs.position:
            lacking[1:] = [it.position]
        if lacking:  # one finding: retention may have deleted years of them
            yield lacking[0], f"{self.what} lacks {' to '.join(map(str, lacking))}"
        if it is None:
            yield theirs.position, f"{self.what} has {theirs.position}, which is not stored here"
        elif different := differences(it, theirs):
            yield theirs.position, f"{self.what} has another {', '.join(different)} at {theirs.position}"


def differences(ours: Any, theirs: Any) -> list[str]:
    """Name the fields in which two records differ; of a communication its own fields."""
    unlike = [it.name for it in fields(ours) if getattr(ours, it.name) != getattr(theirs, it.name)]
    if unlike == ["content"]:
        return differences(ours.content, theirs.content)
    return unlike
