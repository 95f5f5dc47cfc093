"""A log in commits as life makes them, of any length: sessions of ten experiments, four appends an experiment.

The aggregates decide the events of one session. Every other session has the same events with ids, measures and blobs of
its own, so that a million events take seconds. Positions, times and the chain are those that an engine would write.
"""

from __future__ import annotations

import random
import re
from base64 import b32encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from itertools import count
from typing import Final, NamedTuple
from uuid import UUID

from adapters.log.chain import commit_hash, framed_events
from adapters.log.events import encode
from adapters.log.times import from_microseconds
from benchmarks.many import DATASET, MEASURES, OWNER, WORKER, request, training
from domain.events import Aggregate, Event, Metadata
from domain.experiment import Experiment
from domain.session import Session
from domain.values import experiment_stream, session_id, session_stream
from projections.ports import GENESIS, RawCommit, RawEvent

OF_A_SESSION: Final = 10
EVENTS_OF_A_SESSION: Final = 8 * OF_A_SESSION + 2
FIRST_AT: Final = 1_764_000_000_000_000
BETWEEN: Final = 250_000  # microseconds from one commit to the next
PATTERN_SESSION: Final = 987_654_321  # the number of the session that the others are made from


class PatternEvent(NamedTuple):
    """An event cut into what stays (even places) and what each session has of its own (odd places)."""

    stream: list[str]
    version: int
    name: str
    state: list[bytes]


def life_log(events: int) -> Iterator[RawCommit]:
    """Yield the commits of whole sessions, of about so many events."""
    commits, own = _pattern()
    position, before = 0, GENESIS
    numbers = count(1)
    for session in range(1, events // EVENTS_OF_A_SESSION + 1):
        values = _values_of(session, own)
        texts = {name.decode(): value.decode() for name, value in values.items()}
        for commit in commits:
            number = next(numbers)
            made = tuple(RawEvent(_filled(it.stream, texts), it.version, it.name, _joined(it, values)) for it in commit)
            position += len(made)
            command, append, digest = _uuid(f"command {number}"), _uuid(f"append {number}"), _digest(b"%d" % number)
            at, framed = FIRST_AT + BETWEEN * number, framed_events(made)
            before = commit_hash(
                before, position=position, at=at, command_id=command, append_id=append, digest=digest, events=framed
            )
            first, moment = position - len(made) + 1, from_microseconds(at)
            yield RawCommit(first, position, moment, command, append, digest, before, made)


def _pattern() -> tuple[list[list[PatternEvent]], list[bytes]]:
    """Return the commits of one session, and what in them is its own."""
    chance = random.Random(7)  # noqa: S311 - made-up measures
    session = Session.create_blank(session_stream(OWNER, PATTERN_SESSION))
    session.open(OWNER)
    held: list[Experiment] = []
    commits: list[list[Event]] = []
    for number in range(OF_A_SESSION):
        it = Experiment.create_blank(experiment_stream(_name(number)))
        held.append(it)
        session.add(it.name)
        request(it, session_id(session.id), number)
        it.start(it.name, 1, WORKER)
        commits.append(_append(len(commits), session, it))
        it.complete_training(1, WORKER, training(number))
        commits.append(_append(len(commits), it))
        task = it.request_evaluation(MEASURES, None)
        it.start(task, 1, WORKER)
        commits.append(_append(len(commits), it))
        it.complete_evaluation(task, 1, WORKER, {measure.identity: chance.random() for measure in MEASURES})
        commits.append(_append(len(commits), it))
    session.commit([it.name for it in held], None)
    for it in held:
        it.commit(session_id(session.id))
    commits.append(_append(len(commits), session, *held))
    stored = b" ".join(encode(event) for commit in commits for event in commit)
    own = [b"%d" % PATTERN_SESSION, *(it.name.encode() for it in held)]
    own += dict.fromkeys(re.findall(rb"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64}|0\.\d{12,}", stored))
    own.remove(DATASET.sha256.encode())
    cut = re.compile(b"(%s)" % b"|".join(own))
    cut_text = re.compile(cut.pattern.decode())
    return [
        [
            PatternEvent(cut_text.split(it.originator_id), it.originator_version, it.NAME, cut.split(encode(it)))
            for it in one
        ]
        for one in commits
    ], own


def _append(number: int, *aggregates: Aggregate) -> list[Event]:
    command = str(_uuid(f"pattern {number}"))
    metadata = Metadata(actor=OWNER, correlation=command, causation=command)
    pending = [event for aggregate in aggregates for event in aggregate.collect_events()]
    return [event.with_metadata(metadata) for event in pending if isinstance(event, Event)]


def _values_of(session: int, own: list[bytes]) -> Mapping[bytes, bytes]:
    """Return what one session has in the place of each value of the pattern, as long as that."""
    chance = random.Random(session)  # noqa: S311 - made-up measures
    values = {}
    for place, value in enumerate(own):
        if place == 0:
            values[value] = b"%d" % session
        elif place <= OF_A_SESSION:
            values[value] = _name(session * OF_A_SESSION + place).encode()
        elif value.startswith(b"0."):
            values[value] = b"0.%d" % chance.randrange(10**15, 10**16)
        elif len(value) == 64:  # noqa: PLR2004 - a SHA-256 as text
            values[value] = _digest(b"%d %b" % (session, value)).encode()
        else:
            values[value] = str(_uuid(f"{session} {value!r}")).encode()
    return values


def _name(number: int) -> str:
    return b32encode(sha256(b"experiment %d" % number).digest())[:16].decode().lower()


def _digest(text: bytes) -> str:
    return sha256(text).hexdigest()


def _uuid(text: str) -> UUID:
    return UUID(bytes=sha256(text.encode()).digest()[:16])


def _filled(pieces: list[str], values: Mapping[str, str]) -> str:
    return "".join([values[it] if place % 2 else it for place, it in enumerate(pieces)])


def _joined(event: PatternEvent, values: Mapping[bytes, bytes]) -> bytes:
    return b"".join([values[it] if place % 2 else it for place, it in enumerate(event.state)])
