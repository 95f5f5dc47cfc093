"""The client of AutoLearn: `from autolearn import connect`. It needs the standard library and cryptography alone."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autolearn.backend import Backend, connect
    from autolearn.errors import (
        ClientError,
        ConflictError,
        InvalidInputError,
        MissingCredentialsError,
        MissingPackageError,
        NoAnswerError,
        NotAbleError,
        NotAllowedError,
        NotFoundError,
        ProblemError,
        RefusedInputError,
        TaskFailedError,
        UnprovenAnswerError,
        UnreachableError,
        WaitTimeoutError,
    )

__all__ = [
    "Backend",
    "ClientError",
    "ConflictError",
    "InvalidInputError",
    "MissingCredentialsError",
    "MissingPackageError",
    "NoAnswerError",
    "NotAbleError",
    "NotAllowedError",
    "NotFoundError",
    "ProblemError",
    "RefusedInputError",
    "TaskFailedError",
    "UnprovenAnswerError",
    "UnreachableError",
    "WaitTimeoutError",
    "connect",
]


def __getattr__(name: str) -> Any:
    """Load a name when it is used: the command line and the backend use parts of this package only (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"autolearn has no {name!r}.")
    home = "autolearn.backend" if name in {"Backend", "connect"} else "autolearn.errors"
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return __all__
