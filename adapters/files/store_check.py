"""Whether the store of blobs can be used: asked at the start, then in the background, and told by each use."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock, Thread
from typing import Final
from uuid import uuid4

from adapters.files.remote_files import NOT_NOW, RemoteFiles, StoppedError
from domain.errors import AutoLearnError, BadInputError, DiskReserveError, ForbiddenError, NotAbleError

MARKER: Final = "autolearn-check"
CONTENT: Final = b"AutoLearn writes and reads this file to see whether it may.\n"
RECHECK_SECONDS: Final = 30.0  # a store that answered is asked again when somebody wants to know
RETRY_SECONDS: Final = 2.0  # one that did not
REFUSED: Final = "The store of blobs refuses the backend now: its own log says more. Ask again later."
NO_PLACE: Final = "The place of the blobs is not there now: the backend's own log says more. Ask again later."

logger = logging.getLogger(__name__)


class StoreCheck:
    """Knows what the last use of the store showed; `fault` is a sentence that names no place, or None.

    While the store cannot be used every user is refused at once, and one question at a time finds out when it can.
    """

    def __init__(self, files: RemoteFiles, scratch: Path) -> None:
        self._files = files
        self._scratch = scratch
        self._trouble: str | None = None
        self._known = float("-inf")
        self._asking = Lock()

    @property
    def fault(self) -> str | None:
        """Why the store cannot be used, as far as is known; what is old is asked again in the background."""
        self._ask_again(RECHECK_SECONDS if self._trouble is None else RETRY_SECONDS)
        return self._trouble

    def run(self) -> None:
        """Write a file and read it again; raises NotAbleError, ForbiddenError, BadInputError, DiskReserveError."""
        with self._note():
            mine, back = (self._scratch / f"{uuid4().hex}.check" for _ in range(2))
            try:
                _write(mine)
                self._files.put(mine, MARKER)
                self._files.get(MARKER, back)
                if back.read_bytes() != CONTENT:
                    raise NotAbleError(NOT_NOW)
            except FileNotFoundError as lost:  # what was written a moment ago
                raise NotAbleError(NOT_NOW) from lost
            finally:
                for file in (mine, back):
                    file.unlink(missing_ok=True)

    def confirm(self) -> None:
        """Find out now whether the store can be used; raises as `use` does."""
        with self._as_outage():
            self.run()

    @contextmanager
    def use(self) -> Iterator[None]:
        """Use the store; raises NotAbleError for whatever hinders it, DiskReserveError, or FileNotFoundError."""
        if (trouble := self._trouble) is not None:
            self._ask_again(RETRY_SECONDS)
            raise NotAbleError(trouble)
        with self._as_outage(), self._note():
            yield

    @contextmanager
    def _as_outage(self) -> Iterator[None]:
        try:
            yield
        except (BadInputError, ForbiddenError) as refused:
            raise NotAbleError(self._trouble or NOT_NOW) from refused

    @contextmanager
    def _note(self) -> Iterator[None]:
        trouble: str | None = None
        try:
            yield
        except StoppedError:
            trouble = self._trouble
            raise
        except ForbiddenError:
            trouble = REFUSED
            raise
        except BadInputError:
            trouble = NO_PLACE
            raise
        except NotAbleError as away:
            trouble = away.sentence
            raise
        finally:
            if trouble != self._trouble:
                logger.warning("the store of blobs: %s", trouble or "it can be used again")
            self._trouble, self._known = trouble, time.monotonic()

    def _ask_again(self, pause: float) -> None:
        if time.monotonic() - self._known > pause and self._asking.acquire(blocking=False):
            try:
                Thread(target=self._ask, name="blob store check", daemon=True).start()
            except RuntimeError:  # out of threads
                self._asking.release()

    def _ask(self) -> None:
        try:
            with suppress(AutoLearnError):
                self.run()
        except OSError as failure:  # of this machine's disk
            logger.warning("the store of blobs could not be checked: %s", failure)
        finally:
            self._asking.release()


def _write(file: Path) -> None:
    try:
        file.write_bytes(CONTENT)
    except OSError as full:
        raise DiskReserveError(f"No temporary file can be written here: {full.strerror}.") from full
