"""Recovery: a database that was lost whole, brought back from the topics with the same positions, times, ids, hashes.

What was not relayed yet is lost with the database: a receipt above its end tells (`verify --anchor`). So is what lies
behind damage in a topic, once somebody says that it is to be given up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from adapters.distributed.audit_log.record_schema import AUDIT_LOG
from adapters.distributed.installation import (
    begin_recovery,
    end_recovery,
    recorded_master_key,
    set_installation_id,
    set_master_key,
    unfinished_recovery,
)
from adapters.distributed.log.commit_schema import EVENT_LOG
from adapters.distributed.log.schema import MongoLogSchema
from adapters.distributed.mongo import Mongo, as_ours
from adapters.distributed.recovery.last_entry import last_position
from adapters.distributed.recovery.refill import Refill
from adapters.distributed.topics.beginning import lost_beginning
from adapters.distributed.topics.cloud_events import Record, origin
from adapters.distributed.topics.kafka import DamagedTopic, NoTopicError
from adapters.distributed.topics.scan import Finding, TopicScan
from adapters.distributed.verification.topic_copy import entries_in
from adapters.log.chain import E, Entry
from domain.errors import BadInputError, ConflictError, NotFoundError
from projections.ports import GENESIS


@dataclass
class RefillFromTopic(Refill[E]):
    """A log filled from the topic `topic`.

    `until`: what comes after this position is given up, damaged or not; `option` is what says so on the command line.
    """

    topic: str = ""
    until: int | None = None
    option: str = ""

    def run(self, found: Iterable[E | Finding]) -> Iterator[int]:
        return super().run(self._wanted(found))

    def _wanted(self, found: Iterable[E | Finding]) -> Iterator[E | Finding]:
        for it in found:
            if self.until is not None and (self.position >= self.until or _beyond(it, self.until)):
                return
            yield it

    def damaged(self, position: int | None, what: str) -> ConflictError:
        place = f"after position {self.position}" if position is None else f"at position {position}"
        return DamagedTopic(
            f"The topic {self.topic} is damaged {place}: {what}. What comes before is recovered, but the recovery "
            f"is not over. To give up what comes after, say `{self.option} {self.position}`.",
            position=position,
            recovered=self.position,
            cause="damage",
        )


def _beyond(it: Entry | Finding, until: int) -> bool:
    return not isinstance(it, tuple) and it.position > until


class Until(NamedTuple):
    """The last positions of event log and audit log to bring back; None: all."""

    events: int | None = None
    audit_log: int | None = None


ALL: Final = Until()


class Recovery:
    """One recovery. `mongo`: the database, without a time limit; `key`: the fingerprint of the master key, if known."""

    def __init__(self, mongo: Mongo, bootstrap: str, until: Until = ALL, key: str | None = None) -> None:
        self._mongo, self._bootstrap, self._key = mongo, bootstrap, key
        self._commits = self._refill(EVENT_LOG, until.events, "--until")
        self._records = self._refill(AUDIT_LOG, until.audit_log, "--communications-until")

    def _refill(self, schema: MongoLogSchema[E], until: int | None, option: str) -> RefillFromTopic[E]:
        topic = schema.topic_of(self._mongo.name)
        stored = self._mongo.collection(schema.name)
        return RefillFromTopic(stored, schema, f"the topic {topic}", topic=topic, until=until, option=option)

    def run(self) -> Iterator[dict[str, Any]]:
        """Yield progress (`{step, position, of}`), last `{installation, events, commits, communications, …}`.

        Raises ConflictError (the database is not empty), NotFoundError (the topics are), DamagedTopic with `position`,
        BadInputError (another master key); NotAbleError: start it again, it goes on.
        """
        marked = unfinished_recovery(self._mongo)
        if marked is None:
            self._check_empty()
        for refill in (self._commits, self._records):
            self._check_beginning(refill)
        source = self._source()
        if marked not in (None, source):
            raise ConflictError(f"The recovery that was begun is that of {marked!r}, and the topics are of {source!r}.")
        installation = self._begin(source)
        yield from self._run_refill(self._commits, source, "events")
        yield from self._run_refill(self._records, source, "communications")
        given_up = self._given_up()
        key = self._note_key()
        end_recovery(self._mongo)
        commits, last = self._commits, self._commits.last
        yield {
            "installation": installation,
            "events": commits.position,
            "commits": commits.count,
            "communications": self._records.count,
            "position": commits.position,
            "head": (last.hash if last else GENESIS).hex(),
            **key,
            **given_up,
        }

    def _run_refill(self, refill: RefillFromTopic[E], source: str, step: str) -> Iterator[dict[str, Any]]:
        topic = TopicScan(self._bootstrap, refill.topic, source)
        for _ in refill.run(entries_in(topic.records(), refill.schema)):
            yield {"step": step, "position": topic.offset, "of": topic.end}
        refill.schema.collection.ensure(self._mongo)

    def _given_up(self) -> dict[str, Any]:
        """Say what the topics have beyond the ends that were asked for: a relay does not go on with such a topic."""
        cut = {it.topic: it.position for it in (self._commits, self._records) if it.until is not None}
        lost = [_behind(topic, at, last_position(self._bootstrap, topic)) for topic, at in cut.items()]
        return {"given_up": lost, "to_delete": list(cut)} if cut else {}

    def _note_key(self) -> dict[str, Any]:
        """Note the key of the audit log's last process, else the one that is here; where none is, say which it was."""
        known = recorded_master_key(self._mongo) or self._key
        if known is not None:
            set_master_key(self._mongo, known)
        if self._key not in {None, known}:
            raise BadInputError(
                f"The master key (AUTOLEARN_MASTER_KEY_FILE) does not fit {self._mongo.name!r}: its clients' keys were "
                "made from another one. All is back, but the recovery is not over: restore that file and call it again."
            )
        return {"fingerprint": known} if self._key is None else {}

    def _check_empty(self) -> None:
        with as_ours():
            logs = self._commits.collection, self._records.collection
            full = [it.name for it in logs if it.find_one({}, {"_id": 1}) is not None]
        if full:
            raise ConflictError(
                f"The database {self._mongo.name!r} holds {' and '.join(full)} already; recover fills an empty one: "
                "stop all processes, and drop the database if it may go."
            )

    def _check_beginning(self, refill: RefillFromTopic[Any]) -> None:
        """Raise DamagedTopic where the oldest records are gone, unless all of the log is given up."""
        try:
            lost = None if refill.until == 0 else lost_beginning(self._bootstrap, refill.topic)
        except NoTopicError:
            return
        if lost is not None:
            audit_log = refill.topic != self._commits.topic
            otherwise = f"Restore a back-up{f', or go on without the audit log: `{refill.option} 0`' * audit_log}."
            raise DamagedTopic(
                f"{lost.sentence}. No log comes back without its beginning. {otherwise}",
                position=lost.position,
                recovered=0,
                cause="retention",
            )

    def _source(self) -> str:
        """Return the source of the first record of ours; raises NotFoundError where there is none."""
        topics = self._commits.topic, self._records.topic
        for topic in topics:
            scan = TopicScan(self._bootstrap, topic)
            if any(isinstance(it, Record) for it in scan.records()) and scan.source is not None:
                return scan.source
        raise NotFoundError(f"There is nothing to recover: the topics {' and '.join(topics)} hold no records.")

    def _begin(self, source: str) -> str:
        """Set the mark, and be the installation whose records these are."""
        installation = source.rpartition("/")[2]
        if source != origin(self._mongo.name, installation):
            raise DamagedTopic(
                f"The topic {self._commits.topic} holds records of {source!r}, not of {self._mongo.name!r}."
            )
        for collection in (EVENT_LOG.collection, AUDIT_LOG.collection):
            replace(collection, indexes=()).ensure(self._mongo)  # they cost less once the documents are there
        begin_recovery(self._mongo, source)
        set_installation_id(self._mongo, installation)
        return installation


def _behind(topic: str, position: int, end: int) -> str:
    return f"{topic} behind position {position}" + (f", up to {end}" if end > position else "")
