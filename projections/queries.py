"""The questions of the HTTP layer, a method each: who asks, as of which position (None: now), the JSON object back.

`at` is the position of a commit (`moment.parse_moment` gives it). Errors: NotFoundError for what is not there or not
the viewer's to see, NotReachedError where the read models lag behind `at` (nothing waits here), BadInputError and its
children for the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from domain.errors import BadCursorError, NotReachedError
from projections.catalog_answers import catalog_answer
from projections.change import Body
from projections.experiment_answers import ExperimentAnswers
from projections.history_answers import HistoryAnswers, HistoryRequest
from projections.moment import Moment, parse_moment
from projections.ports import CursorSeal, Documents, Feed, History
from projections.session_answers import session_answer, sessions_answer
from projections.visibility import Viewer


def utc_now() -> datetime:
    """Return the time of day."""
    return datetime.now(UTC)


class Queries:
    """All questions; each pins one position first, so that an answer of several documents is of one state."""

    def __init__(
        self,
        documents: Documents,
        history: History,
        feed: Feed,
        seal: CursorSeal,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._documents = documents
        self._feed = feed
        self._now = now
        self._experiments = ExperimentAnswers(documents, history)
        self._history = HistoryAnswers(documents, history, seal)

    def moment(self, text: str) -> Moment:
        """Turn `as_of` into a position. Raises BadInputError."""
        return parse_moment(text, self._feed, self._now())

    def check_reached(self, position: int) -> None:
        """Raise NotReachedError where a position is not folded in; facts: `asked`, `reached`, `head` (of the log)."""
        reached = self._documents.position()
        if reached < position:
            head, _ = self._feed.head()
            where = f"The read models are at {reached}, not yet at {position}."
            if head < position:
                where = f"The log ends at {head}: there is no position {position} in it."
            raise NotReachedError(where, asked=position, reached=reached, head=head)

    def catalog(self, viewer: Viewer, shelf: str | None = None, name: str | None = None, at: int | None = None) -> Body:
        """Return `{models, datasets, measures, position}`; `shelf` is one of the three, `name` one thing of it."""
        del viewer  # the catalog is for every client
        return catalog_answer(self._documents, shelf, name, self._pin(at))

    def status(self, viewer: Viewer, task: str, at: int | None = None) -> Body:
        """Return the status of an experiment, evaluation (`…-e1`) or reproduction (`…-r1`), named by a beginning.

        A beginning has 4 characters or more and is unique, else AmbiguousIdError.
        """
        return self._experiments.status(viewer, task, self._pin(at))

    def show(self, viewer: Viewer, experiment: str, at: int | None = None) -> Body:
        """Return all that is known of an experiment."""
        return self._experiments.show(viewer, experiment, self._pin(at))

    def session(self, viewer: Viewer, session: str | None = None, at: int | None = None) -> Body:
        """Return a session of the viewer's with its experiments; None: the open one, all null where there is none."""
        return session_answer(self._documents, viewer, session, self._pin(at))

    def sessions(self, viewer: Viewer, at: int | None = None) -> Body:
        """Return `{sessions, position}`: the viewer's own, newest first."""
        return sessions_answer(self._documents, viewer, self._pin(at))

    def history(
        self, viewer: Viewer, request: HistoryRequest, cursor: str | None = None, at: int | None = None
    ) -> Body:
        """Return `{experiments, next, position}`; a cursor goes on as of its own position. Raises BadCursorError."""
        if cursor:
            place = self._history.place(viewer, request, cursor)
            if at is not None and at != place.position:
                raise BadCursorError(
                    f"This cursor goes on as of @{place.position}, and `as_of` means @{at}: leave `as_of` out."
                )
            now = place.asked_at or self._now()
            return self._history.page(viewer, request, self._pin(place.position), now, place.mark)
        return self._history.page(viewer, request, self._pin(at), self._now())

    def _pin(self, at: int | None) -> int:
        if at is None:
            return self._documents.position()
        self.check_reached(at)
        return at
