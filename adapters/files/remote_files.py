"""Files on another machine, through fsspec: each call ends in time, and its failure is one of four errors."""

from __future__ import annotations

import asyncio
import errno
import logging
import re
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path
from threading import Event as Signal
from threading import Lock, Thread
from typing import Any, Final
from uuid import uuid4

from adapters.host.process_metrics import BLOB_FAILURES, BLOB_SECONDS
from domain.errors import BadInputError, DiskReserveError, ForbiddenError, NotAbleError

# One PUT stores an object whole or not at all. What other file systems show of an unfinished upload has another name.
OBJECT_STORES: Final = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl"})
SILENCE_SECONDS: Final = 15.0  # without a byte of a download; an upload has that, and time for its size
SLOWEST: Final = 64 * 1024  # bytes a second of an upload
POLL_SECONDS: Final = 0.2  # between two looks at a call that lasts
NOT_NOW: Final = "The store of blobs does not answer now: ask again later."
NEVER: Final = Signal()
REFUSALS: Final = (  # by name, as their packages may be missing
    *("NoCredentialsError", "PartialCredentialsError", "TokenRetrievalError", "UnauthorizedSSOTokenError"),
    *("ClientAuthenticationError", "DefaultCredentialsError", "RefreshError"),
)
BAD_KEYS: Final = re.compile(r"InvalidAccessKeyId|SignatureDoesNotMatch|InvalidClientTokenId|ExpiredToken|AuthFailure")

logger = logging.getLogger(__name__)


class StoppedError(NotAbleError):
    """The caller said that it does not wait any longer."""


class RemoteFiles:
    """Files below a URL such as `s3://bucket/blobs`; raises BadInputError for one that no package here knows.

    Calls raise NotAbleError (away), ForbiddenError (refused), BadInputError (no such bucket) and DiskReserveError.
    They end early, with NotAbleError, when their `stop` is set.
    """

    def __init__(self, url: str) -> None:
        import fsspec  # noqa: PLC0415 - 95 ms that only remote blobs need

        self.url = re.sub(r"(?<=:)[^:@/]*(?=@)", "…", url)  # no password in a message
        self._given, self._protocol = url, url.partition("://")[0]
        try:
            fsspec.get_filesystem_class(self._protocol)
        except (ValueError, ImportError) as wrong:  # no such protocol; one whose package is not installed
            raise self._not_a_place(wrong) from wrong
        self._opening = Lock()
        self._opened: tuple[Any, str] | None = None

    def put(self, source: Path, path: str, stop: Signal = NEVER) -> None:
        """Copy a local file to a path, where it appears whole; what is there already has the same bytes, or should."""
        within = SILENCE_SECONDS + source.stat().st_size / SLOWEST
        self._run("put", lambda: self._put(source, path, stop, within))

    def get(self, path: str, target: Path, stop: Signal = NEVER) -> None:
        """Copy a file to a local path; raises FileNotFoundError too, which a missing bucket may also look like."""

        def grown() -> int:
            return target.stat().st_size if target.exists() else 0

        self._run("get", lambda: self._call("get_file", self._at(path), str(target), stop=stop, grown=grown))

    def _put(self, source: Path, path: str, stop: Signal, within: float) -> None:
        target = self._at(path)
        try:
            if self._protocol in OBJECT_STORES:
                self._call("put_file", str(source), target, stop=stop, within=within)
                return
            if self._call("exists", target, stop=stop):
                return
            part = f"{target}.{uuid4().hex}.part"
            self._call("makedirs", part.rpartition("/")[0], True, stop=stop)  # noqa: FBT003 - exist_ok, by position
            self._call("put_file", str(source), part, stop=stop, within=within)
            self._call("mv", part, target, stop=stop)
        except FileNotFoundError as missing:
            raise BadInputError(f"AUTOLEARN_BLOBS={self.url} does not exist: create it first.") from missing

    def _at(self, path: str) -> str:
        return f"{self._client()[1]}/{path}"

    def _client(self) -> tuple[Any, str]:
        """Return the client and the path that the URL names in it; some connect when they are made."""
        import fsspec.core  # noqa: PLC0415 - as above

        with self._opening:
            if self._opened is None:
                try:
                    self._opened = fsspec.core.url_to_fs(self._given, skip_instance_cache=True)
                except (ValueError, ImportError) as wrong:
                    raise self._not_a_place(wrong) from wrong
            return self._opened

    def _not_a_place(self, wrong: Exception) -> BadInputError:
        fitting = (
            "Blobs go to a folder, `file:///…`, `s3://…` (package autolearn[s3]), or another URL that fsspec knows."
        )
        return BadInputError(f"AUTOLEARN_BLOBS={self.url} is not a place for blobs here: {wrong}. {fitting}")

    def _run(self, operation: str, call: Callable[[], None]) -> None:
        begun = time.perf_counter()
        try:
            call()
        except (FileNotFoundError, StoppedError):
            raise
        except Exception as failure:
            BLOB_FAILURES.labels(operation).inc()
            raise self._explain(failure) from failure
        finally:
            BLOB_SECONDS.labels(operation).observe(time.perf_counter() - begun)

    def _explain(self, failure: Exception) -> Exception:
        if isinstance(failure, BadInputError | NotAbleError):
            return failure
        if isinstance(failure, OSError) and failure.errno in (errno.ENOSPC, errno.EDQUOT):
            return DiskReserveError(f"A blob could not be copied to this machine: {failure.strerror}.")
        logger.warning("the store of blobs %s: %s: %s", self.url, type(failure).__name__, failure)
        names = {kind.__name__ for kind in type(failure).__mro__}
        if isinstance(failure, PermissionError) or names.intersection(REFUSALS) or BAD_KEYS.search(str(failure)):
            return ForbiddenError(f"The store of blobs at AUTOLEARN_BLOBS={self.url} refuses this process's keys.")
        return NotAbleError(NOT_NOW)

    def _call(
        self,
        name: str,
        *arguments: Any,
        stop: Signal,
        within: float | None = None,
        grown: Callable[[], int] = lambda: 0,
    ) -> Any:
        """Call the client; give up after `within` (or 15) seconds without growth, or when told to stop.

        A client's own time-outs are minutes, if it has any, and an upload that nobody reads has none.
        """
        future, within = self._begin(name, *arguments), within or SILENCE_SECONDS
        size, until = 0, time.monotonic() + within
        while not wait([future], POLL_SECONDS).done:
            if (now := grown()) > size:
                size, until = now, time.monotonic() + within
            if stop.is_set() or time.monotonic() > until:
                future.cancel()
                raise StoppedError("The task was ended.") if stop.is_set() else NotAbleError(NOT_NOW)
        return future.result()

    def _begin(self, name: str, *arguments: Any) -> Future[Any]:
        client = self._client()[0]
        if client.async_impl and hasattr(client, f"_{name}"):  # not all calls of all clients
            return asyncio.run_coroutine_threadsafe(getattr(client, f"_{name}")(*arguments), client.loop)
        future: Future[Any] = Future()

        def work() -> None:
            future.set_running_or_notify_cancel()  # from now on it cannot be cancelled
            try:
                future.set_result(getattr(client, name)(*arguments))
            except Exception as failure:  # noqa: BLE001 - who waits for the future gets it
                future.set_exception(failure)

        Thread(target=work, name=f"blobs {name}", daemon=True).start()
        return future
