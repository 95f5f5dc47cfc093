"""Recovery: a database that was lost whole, brought back from the topics with the same positions, times, ids, hashes.

What was not relayed yet is lost with the database: a receipt above the tail tells (`verify --anchor`). So is what lies
behind damage in a topic, once somebody says that it is to be given up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from adapters.audit_log.chain import RecordChain
from adapters.distributed.audit_log import documents as communication_documents
from adapters.distributed.installation import INSTALLATION, archived_master_key, set_master_key
from adapters.distributed.log import commit_documents
from adapters.distributed.mongo import Mongo, as_ours
from adapters.distributed.recovery import mark as recovery_mark
from adapters.distributed.recovery.refill import Refill
from adapters.distributed.topics.cloud_events import Record, origin
from adapters.distributed.topics.kafka import DamagedTopic
from adapters.distributed.topics.last_entry import last_position
from adapters.distributed.topics.scan import TopicScan
from adapters.distributed.topics.topics import topics_of
from adapters.distributed.verification.topic_copy import archived_in, commits_in
from adapters.log.chain import GENESIS, CommitChain
from domain.errors import BadInputError, ConflictError, NotFoundError
from projections.ports import Archived, RawCommit


class Until(NamedTuple):
    """The last positions of log and archive to bring back; None: all."""

    events: int | None = None
    communications: int | None = None


ALL: Final = Until()


class Recovery:
    """One recovery. `mongo`: the database, without a time limit; `key`: the fingerprint of the master key, if known."""

    def __init__(self, mongo: Mongo, bootstrap: str, until: Until = ALL, key: str | None = None) -> None:
        self._mongo, self._bootstrap, self._until, self._key = mongo, bootstrap, until, key
        self._events, self._communications = topics_of(mongo.name)
        self._log = mongo.collection(commit_documents.COMMITS)
        self._archive = mongo.collection(communication_documents.COMMUNICATIONS)

    def run(self) -> Iterator[dict[str, Any]]:
        """Yield progress (`{step, position, of}`), last `{installation, events, commits, communications, …}`.

        Raises ConflictError (the database is not empty), NotFoundError (the topics are), DamagedTopic with `position`,
        BadInputError (another master key); NotAbleError: start it again, it goes on.
        """
        marked = recovery_mark.begun(self._mongo)
        if marked is None:
            self._check_empty()
        source = self._source()
        if marked not in (None, source):
            raise ConflictError(f"The recovery that was begun is that of {marked!r}, and the topics are of {source!r}.")
        installation = self._begin(source)
        commits, records = self._log_refill(), self._archive_refill()
        events = TopicScan(self._bootstrap, self._events, source)
        for _ in commits.run(commits_in(events.records())):
            yield {"step": "events", "position": events.offset, "of": events.end}
        calls = TopicScan(self._bootstrap, self._communications, source)
        for _ in records.run(archived_in(calls.records())):
            yield {"step": "communications", "position": calls.offset, "of": calls.end}
        given_up = self._given_up(commits.position, records.position)
        key = self._key_noted()
        recovery_mark.end(self._mongo)
        yield {"installation": installation} | recovered(commits, records) | key | given_up

    def _log_refill(self) -> Refill[RawCommit]:
        until = self._until.events
        return Refill(self._log, self._events, commit_documents.document_of, CommitChain().fault, until, "--until")

    def _archive_refill(self) -> Refill[Archived]:
        document, until = communication_documents.to_document, self._until.communications
        option = "--communications-until"
        return Refill(self._archive, self._communications, document, RecordChain().fault, until, option)

    def _given_up(self, position: int, archived: int) -> dict[str, Any]:
        """Say what the topics have beyond the ends that were asked for: a relay does not go on with such a topic."""
        asked = [(self._events, position, self._until.events)]
        asked += [(self._communications, archived, self._until.communications)]
        cut = {topic: reached for topic, reached, until in asked if until is not None}
        lost = [_behind(topic, at, last_position(self._bootstrap, topic)) for topic, at in cut.items()]
        return {"given_up": lost, "to_delete": list(cut)} if cut else {}

    def _key_noted(self) -> dict[str, Any]:
        """Note the key of the archive's last process, else the one that is here; where none is, say which it was."""
        known = archived_master_key(self._mongo) or self._key
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
            full = [it.name for it in (self._log, self._archive) if it.find_one({}, {"_id": 1}) is not None]
        if full:
            raise ConflictError(
                f"The database {self._mongo.name!r} holds {' and '.join(full)} already; recover fills an empty one: "
                "stop all processes, and drop the database if it may go."
            )

    def _source(self) -> str:
        """Return the source of the first record of ours; raises NotFoundError where there is none."""
        for topic in (self._events, self._communications):
            scan = TopicScan(self._bootstrap, topic)
            if any(isinstance(it, Record) for it in scan.records()) and scan.source is not None:
                return scan.source
        raise NotFoundError(
            f"There is nothing to recover: the topics {self._events} and {self._communications} hold no records."
        )

    def _begin(self, source: str) -> str:
        """Set the mark, and be the installation whose records these are."""
        installation = source.rpartition("/")[2]
        if source != origin(self._mongo.name, installation):
            raise DamagedTopic(f"The topic {self._events} holds records of {source!r}, not of {self._mongo.name!r}.")
        for layout in (commit_documents.LAYOUT, communication_documents.LAYOUT):
            layout.ensure(self._mongo)
        recovery_mark.begin(self._mongo, source)
        self._name(installation)
        return installation

    def _name(self, installation: str) -> None:
        it = {"_id": INSTALLATION}
        with as_ours():
            self._mongo.collection(INSTALLATION).update_one(it, {"$set": {"id": installation}}, upsert=True)


def _behind(topic: str, position: int, end: int) -> str:
    return f"{topic} behind position {position}" + (f", up to {end}" if end > position else "")


def recovered(commits: Refill[RawCommit], records: Refill[Archived]) -> dict[str, Any]:
    """Say what is there again."""
    head = commits.last.hash if commits.last else GENESIS
    counts = {"events": commits.position, "commits": commits.count, "communications": records.count}
    return counts | {"position": commits.position, "head": head.hex()}
