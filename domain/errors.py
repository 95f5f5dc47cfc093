"""The one error tree: every refusal that a user can meet, each with a stable slug that the boundaries map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar


class AutoLearnError(Exception):
    """A refusal with a sentence that says what would be right.

    `slug` is the stable `type` of the problem (RFC 9457); `facts` become members of the problem object.
    """

    slug: ClassVar[str] = "internal-error"

    def __init__(self, sentence: str, **facts: Any) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.facts = facts


class BadInputError(AutoLearnError):
    """What was asked cannot be understood or is not valid; nothing was changed."""

    slug = "bad-input"


class UnsealedBodyError(BadInputError):
    """A JSON body arrived unsealed."""

    slug = "not-sealed"


class NotJsonError(BadInputError):
    """The body is not JSON, or its seal was made for another request."""

    slug = "not-json"


class TooLargeError(BadInputError):
    """A body, event or data set above the stated limit."""

    slug = "too-large"


class FilterError(BadInputError):
    """A filter that does not parse; facts: `place` (0-based character), `expected`."""

    slug = "bad-filter"


class AmbiguousNameError(BadInputError):
    """A filter name that means several things; facts: `candidates`."""

    slug = "ambiguous-name"


class BadSettingError(BadInputError):
    """A wrong value of a setting; facts: `setting`, `allowed`."""

    slug = "bad-setting"


class KeyReusedError(BadInputError):
    """An idempotency key or request id that was used before with another body."""

    slug = "key-reused"


class BadCursorError(BadInputError):
    """A cursor that was changed, or belongs to another client or query."""

    slug = "bad-cursor"


class NotAuthenticatedError(AutoLearnError):
    """Credentials that are missing, wrong, stale or revoked."""

    slug = "not-authenticated"


class ForbiddenError(AutoLearnError):
    """Authenticated, but the policy has no row that allows it."""

    slug = "forbidden"


class NotFoundError(AutoLearnError):
    """Not there, or not visible to the caller; facts: `nearest` (visible names only)."""

    slug = "not-found"

    @classmethod
    def for_name(cls, kind: str, name: str, nearest: Sequence[str] = (), listed_by: str | None = None) -> NotFoundError:
        """Say what is missing and which names are nearest; where none is near, the command that lists them."""
        listed = f": `{listed_by}` lists them." if listed_by else "."
        hint = f". Nearest: {', '.join(nearest)}." if nearest else listed
        return cls(f"There is no {kind} {name!r}{hint}", nearest=list(nearest))

    @classmethod
    def for_version(cls, name: str, version: str, latest: int) -> NotFoundError:
        """Say which versions a data set has."""
        there_are = "there is version 1" if latest == 1 else f"there are versions 1 to {latest}"
        nearest = [f"{name}@{latest}"]
        return cls(f"Data set {name!r} has no version {version!r}: {there_are}.", nearest=nearest)


class ConflictError(AutoLearnError):
    """The current state does not allow it."""

    slug = "conflict"


class AmbiguousIdError(ConflictError):
    """A prefix that several experiment ids have; facts: `candidates`."""

    slug = "ambiguous-id"


class UnfinishedError(ConflictError):
    """A commit of the whole session while tasks are unfinished; facts: `unfinished` (ids)."""

    slug = "unfinished"


class RequestUsedError(ConflictError):
    """A repeated request id whose first answer is not kept."""

    slug = "request-used"


class DataDirectoryInUseError(ConflictError):
    """A second backend on one data directory."""

    slug = "data-directory-in-use"


class NotAbleError(AutoLearnError):
    """The backend cannot do it now; repeat later."""

    slug = "not-able-now"


class NotReachedError(NotAbleError):
    """The read models have not reached the position that was asked for."""

    slug = "position-not-reached"


class TooManyError(NotAbleError):
    """More at a time than one client may have; facts: `limit`. Other clients are still served."""

    slug = "too-many"


class OutcomeRecordedError(NotAbleError):
    """The command ran, but the audit log could not record it: repeat with the same key to get the answer."""

    slug = "outcome-recorded"


class DiskReserveError(AutoLearnError):
    """Less free disk than the reserve: refused before anything happens."""

    slug = "disk-full"


class WaitedTooLongError(AutoLearnError):
    """A backend did not start or stop in the stated time."""

    slug = "waited-too-long"


def error_from_slug(slug: str, sentence: str, facts: dict[str, Any]) -> AutoLearnError:
    """Return the error with this slug, as another AutoLearn process reported it."""
    return _find_class(AutoLearnError, slug)(sentence, **facts)


def _find_class(kind: type[AutoLearnError], slug: str) -> type[AutoLearnError]:
    if kind.slug == slug:
        return kind
    found = (_find_class(below, slug) for below in kind.__subclasses__())
    return next((one for one in found if one.slug == slug), AutoLearnError)
