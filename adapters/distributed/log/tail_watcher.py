"""How long a collection is, for threads that wait for more of it: one change stream per process serves them all."""

from __future__ import annotations

import time
from contextlib import suppress
from threading import Condition, Lock, Thread
from typing import Final
from weakref import WeakKeyDictionary

from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import InvalidOperation, PyMongoError

from adapters.distributed.mongo import Fields, Mongo
from adapters.host.retry import Retry

AWAIT_MILLISECONDS: Final = 1000  # how long the server holds a question back when there is nothing new
POLL_SECONDS: Final = 0.02  # where the server has no change streams, or none now
OUTAGE: Final = Retry(shortest=0.04, longest=1.0)

_of_clients: WeakKeyDictionary[Mongo, dict[str, MongoTailWatcher]] = WeakKeyDictionary()
_making = Lock()


def tail_watcher_of(mongo: Mongo, collection: str, position: str) -> MongoTailWatcher:
    """Return the one watcher of a collection that all users of this client share; `position` is a field."""
    with _making:
        known = _of_clients.setdefault(mongo, {})
        if collection not in known:
            known[collection] = MongoTailWatcher(mongo.collection(collection), position)
        return known[collection]


class MongoTailWatcher:
    """The greatest position known; waiting threads are woken when it grows, whoever wrote.

    The thread that follows the collection starts with the first who waits and ends when the client is closed.
    """

    def __init__(self, collection: Collection[Fields], field: str) -> None:
        self.position = 0
        self._collection, self._field = collection, field
        self._longer = Condition()
        self._follower: Thread | None = None

    def reach(self, position: int) -> None:
        """Say that everything up to a position is there for good."""
        if position <= self.position:  # most appends come after the change stream or a later one: spare them the lock
            return
        with self._longer:
            if position > self.position:
                self.position = position
                self._longer.notify_all()

    def wait_beyond(self, position: int, timeout: float) -> bool:
        """Wait until the collection reaches beyond `position`; False after `timeout` seconds, outage or not."""
        if self.position > position:
            return True
        if self._follower is None or timeout <= 0:  # else it knows, or keeps trying
            with suppress(PyMongoError):
                self.reach(self._length())
        if timeout > 0:
            self._follow()
        with self._longer:
            return self._longer.wait_for(lambda: self.position > position, timeout)

    def _length(self, session: ClientSession | None = None) -> int:
        numbers = {self._field: {"$type": "number"}}
        last = self._collection.find_one(numbers, {self._field: 1}, sort=[(self._field, -1)], session=session)
        return int(last[self._field]) if last else 0

    def _follow(self) -> None:
        with self._longer:
            if self._follower is None:
                self._follower = Thread(target=self._run, name=f"tail-{self._collection.name}", daemon=True)
                self._follower.start()

    def _run(self) -> None:
        failures = 0
        while True:
            try:
                self._watch()
            except InvalidOperation:  # the client is closed
                return
            except PyMongoError:
                failures = 0 if self._poll() else failures + 1
            time.sleep(OUTAGE.pause(failures) if failures else POLL_SECONDS)

    def _poll(self) -> bool:
        """Look without a change stream; False in an outage."""
        try:
            self.reach(self._length())
        except PyMongoError:
            return False
        return True

    def _watch(self) -> None:
        """Follow the change stream until it breaks. What came before it began is read once it is there.

        The stream begins after the last write, which no majority may hold yet: a look at that moment would miss it,
        too. So the look waits until a majority holds all that the server knew of.
        """
        inserts = [{"$match": {"operationType": "insert"}}, {"$project": {"position": f"$fullDocument.{self._field}"}}]
        with (
            self._collection.database.client.start_session(causal_consistency=True) as session,
            self._collection.watch(inserts, max_await_time_ms=AWAIT_MILLISECONDS, session=session) as stream,
        ):
            if session.cluster_time is not None:
                session.advance_operation_time(session.cluster_time["clusterTime"])
            self.reach(self._length(session))
            while stream.alive:
                change = stream.try_next()
                if change is not None and isinstance(position := change.get("position"), int):
                    self.reach(position)
