"""What the system gives no more: processes, threads, descriptors, memory. An outage that passes, and nobody's fault."""

from __future__ import annotations

import errno

from domain.errors import NotAbleError

OUT_OF = {
    errno.EAGAIN: "processes or threads",
    errno.EMFILE: "file descriptors",
    errno.ENFILE: "file descriptors",
    errno.ENOMEM: "memory",
    errno.ENOBUFS: "memory",
}
NO_THREAD = "can't start new thread"


def exhausted(error: BaseException) -> NotAbleError | None:
    """Return the refusal that an error of the system amounts to; None for any other error."""
    what = _lacking(error)
    return None if what is None else NotAbleError(f"The backend is out of {what}: repeat the call in a moment.")


def _lacking(error: BaseException) -> str | None:
    if isinstance(error, BaseExceptionGroup):
        return next((what for one in error.exceptions if (what := _lacking(one))), None)
    if isinstance(error, OSError):
        return OUT_OF.get(error.errno or 0)
    if isinstance(error, MemoryError):
        return "memory"
    return "threads" if isinstance(error, RuntimeError) and NO_THREAD in str(error) else None
