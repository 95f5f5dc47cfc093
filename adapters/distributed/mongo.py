"""One MongoDB database as all adapters of this mode use it: majority for writes and reads, whatever the URI says."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient, timeout
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import ConfigurationError, ConnectionFailure, PyMongoError, ServerSelectionTimeoutError
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import Primary
from pymongo.write_concern import WriteConcern

from adapters.distributed.mongo_reasons import reason_of, short_text
from adapters.host.process_metrics import MONGODB_FAILURES, MONGODB_SECONDS
from autolearn.errors import InvalidInputError
from autolearn.secret_files import read_secret
from domain.errors import BadInputError, NotAbleError

CONNECT_SECONDS: Final = 3.0
SHORT_SECONDS: Final = 1.0
OPERATION_SECONDS: Final = 5.0  # of one operation: a server that stands still is as good as dead
# What is acknowledged survives the loss of any minority of the replica set, and what is read is never rolled back.
MAJORITY: Final = WriteConcern(w="majority", j=True)
SELECTION: Final = "server selection"  # its name among the commands that failed

Fields = dict[str, Any]

_short: ContextVar[bool] = ContextVar("short_timeout", default=False)


class CommandTimes(CommandListener):
    """Measures every command for `/metrics`, in the thread that sent it."""

    def started(self, event: CommandStartedEvent) -> None:
        """Nothing is known yet."""

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Measure an answer."""
        MONGODB_SECONDS.labels(event.command_name).observe(event.duration_micros / 1e6)

    def failed(self, event: CommandFailedEvent) -> None:
        """Count a refusal, or an answer that did not come."""
        MONGODB_FAILURES.labels(event.command_name).inc()


class Mongo:
    """A client of its own per process (never across a fork), and one database of it.

    `seconds`: how long one operation of the driver may take before it counts as failed; None where a scan may take its
    time. What needs several operations (`SequencedAppender.append`) takes several times as long at most.
    `password_file` has the password of the user whom the URI names.
    """

    def __init__(
        self,
        uri: str,
        database: str,
        *,
        seconds: float | None = OPERATION_SECONDS,
        password_file: Path | None = None,
    ) -> None:
        password: dict[str, Any] = {}
        if password_file is not None:
            password["password"] = _read_password(uri, password_file)
        milliseconds = None if seconds is None else int(seconds * 1000)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "error", UserWarning
                )  # the driver would pass over an option that it does not know
                self.client: MongoClient[Fields] = MongoClient(
                    uri,
                    serverSelectionTimeoutMS=int(CONNECT_SECONDS * 1000),
                    connectTimeoutMS=int(CONNECT_SECONDS * 1000),
                    timeoutMS=milliseconds,
                    retryWrites=True,
                    tz_aware=True,
                    appname="autolearn",
                    event_listeners=[CommandTimes()],
                    **password,
                )
        except (ConfigurationError, PyMongoError, ValueError, UserWarning, OSError) as wrong:
            raise BadInputError(f"AUTOLEARN_MONGODB is not the URI of a MongoDB: {wrong}.") from wrong
        self.uri, self.name = uri, database
        self.database: Database[Fields] = self.client.get_database(
            database, write_concern=MAJORITY, read_concern=ReadConcern("majority"), read_preference=Primary()
        )

    def collection(self, name: str) -> Collection[Fields]:
        return self.database.get_collection(name)

    def close(self) -> None:
        self.client.close()


def _read_password(uri: str, file: Path) -> str:
    """Return the password in a file; raises BadInputError, which quotes nothing of the URI."""
    setting = "AUTOLEARN_MONGODB_PASSWORD_FILE"
    user, _, password = uri.partition("://")[2].partition("/")[0].rpartition("@")[0].partition(":")
    if not user or password:
        wrong = "has a password, too: leave it out there" if user else "names no user: mongodb://USER@HOST"
        raise BadInputError(f"{setting} is set, and AUTOLEARN_MONGODB {wrong}.")
    try:
        found = read_secret(file).rstrip("\r\n")
    except InvalidInputError as insecure:
        raise BadInputError(f"{setting}: {insecure}") from None
    except (OSError, ValueError) as unreadable:
        raise BadInputError(f"{setting}: {file} cannot be read: {unreadable}.") from None
    if not found:
        raise BadInputError(f"{setting}: {file} is empty: it must hold the password, and nothing else.")
    return found


@contextmanager
def as_ours() -> Iterator[None]:
    """Raise NotAbleError for what MongoDB refuses, also where a right is missing: it can be given while we run."""
    try:
        yield
    except PyMongoError as error:
        if isinstance(error, ServerSelectionTimeoutError):  # no command was sent, so `CommandTimes` saw none
            MONGODB_FAILURES.labels(SELECTION).inc()
        raise NotAbleError(reason_of(error) or _outage(error)) from error


def _outage(error: PyMongoError) -> str:
    text = short_text(error)
    if error.timeout or isinstance(error, ConnectionFailure):
        return f"MongoDB does not answer: {text}. What was acknowledged is safe; repeat the call."
    return f"MongoDB cannot do it now: {type(error).__name__}: {text}"


@contextmanager
def short_timeout(seconds: float = SHORT_SECONDS) -> Iterator[None]:
    """Use a short timeout, for health checks and metrics."""
    before = _short.set(True)
    try:
        with timeout(seconds):
            yield
    finally:
        _short.reset(before)


def has_short_timeout() -> bool:
    """Whether this thread is within `short_timeout`: then it should do nobody else's work."""
    return _short.get()
