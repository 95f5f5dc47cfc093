"""The exit codes in one table: from HTTP status, and from the errors of the client and of the backend."""

from __future__ import annotations

import click

from autolearn import errors as client_errors
from domain import errors

DONE = 0
DIFFERENT = 1
BAD_INPUT = 2
NOT_ABLE = 3
NOT_ALLOWED = 4
NOT_FOUND = 5
CONFLICT = 6
WAITED_TOO_LONG = 124
INTERRUPTED = 130
OUTPUT_CLOSED = 141  # 128 + SIGPIPE, as a shell says it

OF_STATUS = {
    400: BAD_INPUT,
    413: BAD_INPUT,
    415: BAD_INPUT,
    422: BAD_INPUT,
    401: NOT_ALLOWED,
    403: NOT_ALLOWED,
    404: NOT_FOUND,
    408: NOT_ABLE,
    409: CONFLICT,
    429: NOT_ABLE,
    503: NOT_ABLE,
    507: NOT_ABLE,
}

OF_ERROR: dict[type[BaseException], int] = {
    errors.BadInputError: BAD_INPUT,
    errors.NotAuthenticatedError: NOT_ALLOWED,
    errors.ForbiddenError: NOT_ALLOWED,
    errors.NotFoundError: NOT_FOUND,
    errors.ConflictError: CONFLICT,
    errors.NotAbleError: NOT_ABLE,
    errors.DiskReserveError: NOT_ABLE,
    errors.WaitedTooLongError: WAITED_TOO_LONG,
    client_errors.UnreachableError: NOT_ABLE,
    client_errors.NoAnswerError: NOT_ABLE,
    client_errors.UnprovenAnswerError: NOT_ABLE,
    client_errors.MissingCredentialsError: NOT_ALLOWED,
    client_errors.InvalidInputError: BAD_INPUT,
    client_errors.MissingPackageError: NOT_ABLE,
    client_errors.TaskFailedError: DIFFERENT,
    client_errors.WaitTimeoutError: WAITED_TOO_LONG,
    click.ClickException: BAD_INPUT,
    OSError: BAD_INPUT,
}

FIRST_SERVER_FAULT = 500


def of_error(error: BaseException) -> int:
    """Return the exit code of an error; one outside the table counts as failed, an unknown status by its hundred."""
    if isinstance(error, client_errors.ProblemError):
        other = NOT_ABLE if error.status >= FIRST_SERVER_FAULT else BAD_INPUT
        return OF_STATUS.get(error.status, other)
    return next((OF_ERROR[kind] for kind in type(error).__mro__ if kind in OF_ERROR), DIFFERENT)
