"""The questions of the HTTP layer, a method each: who asks, as of which position (None: now), the JSON object back.

`at` is the position of a commit (`as_of.parse_as_of` gives it). Errors: NotFoundError for what is not there or not
the viewer's to see, NotReachedError where the read models lag behind `at` (nothing waits here), BadInputError and its
children for the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from domain.errors import BadCursorError, ConflictError, NotFoundError, NotReachedError
from domain.lookup import nearest_names, require_single_match
from domain.task_status import task_status
from domain.values import SHORTEST_ID_PREFIX, check_id_prefix, experiment_stream
from projections import experiment, tasks
from projections.as_of import AsOfPosition, parse_as_of
from projections.catalog import catalog_answer
from projections.event_answers import EventAnswers, EventRequest
from projections.history_answers import HistoryAnswers, HistoryRequest
from projections.newest import MOST, Newest
from projections.ports import PAGE_ROWS, AuditLog, Body, CursorSeal, Documents, Feed, History, HistoryQuery
from projections.positions import positions_answer
from projections.prediction_answers import PredictionAnswers, PredictionRequest
from projections.search import search_answer, searches_answer
from projections.session import members_of, open_session_of, session_answer, sessions_answer
from projections.visibility import Viewer

MOST_CANDIDATES = 10  # that an ambiguous prefix is answered with
EXPERIMENT_ID = re.compile(rf"[a-z2-7]{{{SHORTEST_ID_PREFIX},16}}")
SHOWN = (
    "committed_at", "actor", "tried", "withdrawn", "owner", "requested_at", "distribution", "split", "provenance",
    "blobs", "report",
)  # fmt: skip


def utc_now() -> datetime:
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
        self._rows = history
        self._history = HistoryAnswers(documents, history, feed, seal)
        self._predictions = PredictionAnswers(documents, seal)

    def as_of(self, text: str) -> AsOfPosition:
        """Turn `as_of` into a position. Raises BadInputError."""
        return parse_as_of(text, self._feed, self._now())

    def check_reached(self, position: int) -> None:
        """Raise NotReachedError where a position is not folded in; facts: `asked`, `reached`, `head` (of the log)."""
        reached = self._documents.position()
        if reached < position:
            end, _ = self._feed.end()
            where = f"The read models are at {reached}, not yet at {position}."
            if end < position:
                where = f"The log ends at {end}: there is no position {position} in it."
            raise NotReachedError(where, asked=position, reached=reached, head=end)

    def catalog(self, viewer: Viewer, part: str | None = None, name: str | None = None, at: int | None = None) -> Body:
        """Return `{models, datasets, measures, position}`; `part` is one of the three, `name` one thing of it."""
        del viewer  # the catalog is for every client
        return catalog_answer(self._documents, part, name, self._pin(at))

    def status(self, viewer: Viewer, task: str, at: int | None = None) -> Body:
        """Return the status of an experiment, evaluation (`…-e1`) or reproduction (`…-r1`), named by a prefix.

        A prefix has 4 characters or more and is unique, else AmbiguousIdError.
        """
        at = self._pin(at)
        name = self._resolve(viewer, task, at)
        kind = tasks.kind_of(name)
        document = self._documents.get(kind, name, at)
        if document is None or ("-" in name and kind == experiment.KIND):
            raise NotFoundError.for_name("evaluation or reproduction", task, self._nearest_tasks(name, at))
        return task_status("training" if kind == experiment.KIND else kind, document.body) | {"position": at}

    def show(self, viewer: Viewer, given: str, at: int | None = None) -> Body:
        """Return all that is known of an experiment."""
        at = self._pin(at)
        name = self._resolve(viewer, given.partition("-")[0], at)
        document = self._documents.get(experiment.KIND, name, at)
        if document is None:
            raise NotFoundError.for_name("experiment", given)
        lists = {
            "evaluations": self._follow_ups(tasks.EVALUATION, name, at),
            "reproductions": self._follow_ups(tasks.REPRODUCTION, name, at),
            "annotations": self._annotations(name, at),
            "events": self._events(name, at),
        }
        shown = {key: document.body[key] for key in SHOWN} | {key: list(newest) for key, newest in lists.items()}
        left_out = [f"{newest.left_out} {key}" for key, newest in lists.items() if newest.left_out]
        note = {"note": f"Of each list the newest {MOST}; left out: {', '.join(left_out)}."} if left_out else {}
        return task_status("training", document.body) | shown | {"position": at} | note

    def report(self, viewer: Viewer, given: str, evaluation: str | None = None, at: int | None = None) -> Body:
        """Return `{report, position}`: SHA-256 and size of an experiment's newest report, or of an evaluation's.

        Raises ConflictError where there is none.
        """
        at = self._pin(at)
        body = self.show(viewer, given, at) if evaluation is None else self.status(viewer, evaluation, at)
        name = body["experiment"]
        if evaluation is not None and ("evaluation" not in body or not name.startswith(given)):
            raise NotFoundError.for_name(f"evaluation of {given}", evaluation, self._nearest_tasks(name, at))
        if body["report"] is None:
            which = f"Evaluation {body['evaluation']}" if evaluation else f"Experiment {name}"
            why = "it was evaluated by a release that made none" if body["measures"] else "it is not evaluated"
            raise ConflictError(f"{which} has no report: {why}. `autolearn evaluate {name}` makes one.")
        return {"report": body["report"], "position": at}

    def session(self, viewer: Viewer, session: str | None = None, at: int | None = None) -> Body:
        """Return a session of the viewer's with its experiments; None: the open one, all null where there is none."""
        return session_answer(self._documents, viewer, session, self._pin(at))

    def sessions(self, viewer: Viewer, at: int | None = None) -> Body:
        """Return `{sessions, position}`: the viewer's own, newest first."""
        return sessions_answer(self._documents, viewer, self._pin(at))

    def search(self, viewer: Viewer, given: str, at: int | None = None, limit: int = PAGE_ROWS) -> Body:
        """Return a search with its first `limit` trials by rank; `given` is its id or a unique prefix."""
        return search_answer(self._documents, viewer, given, self._pin(at), limit)

    def searches(self, viewer: Viewer, at: int | None = None) -> Body:
        """Return `{searches, position}`: the viewer's own, newest first, without trials."""
        return searches_answer(self._documents, viewer, self._pin(at))

    def history(
        self, viewer: Viewer, request: HistoryRequest, cursor: str | None = None, at: int | None = None
    ) -> Body:
        """Return `{experiments, next, position}`; a cursor goes on as of its own position. Raises BadCursorError."""
        if cursor:
            opened = self._history.open(viewer, request, cursor)
            if at is not None and at != opened.position:
                raise BadCursorError(
                    f"This cursor goes on as of @{opened.position}, and `as_of` means @{at}: leave `as_of` out."
                )
            now = opened.asked_at or self._now()
            return self._history.page(viewer, request, self._pin(opened.position), now, opened.offset)
        return self._history.page(viewer, request, self._pin(at), self._now())

    def prediction(self, viewer: Viewer, given: str, at: int | None = None) -> Body:
        """Return a prediction, named by a prefix of its id."""
        return self._predictions.show(viewer, given, self._pin(at))

    def predictions(
        self, viewer: Viewer, request: PredictionRequest, cursor: str | None = None, at: int | None = None
    ) -> Body:
        """Return `{predictions, next, position}`, newest first; a cursor goes on as of its own position."""
        pinned, after = self._pin(at), ""
        if request.experiment is not None:
            request = replace(request, experiment=self._resolve(viewer, request.experiment, pinned))
        if cursor:
            pinned, after = self._predictions.open(viewer, request, cursor)
        return self._predictions.page(viewer, request, self._pin(pinned), after)

    def events(self, viewer: Viewer, request: EventRequest, audit_log: AuditLog, at: int | None = None) -> Body:
        """Return `{events, next, position}`: events of a stream, of a call or of the whole log."""
        return EventAnswers(self._documents, self._feed, audit_log).page(viewer, request, self._pin(at))

    def positions(self, at: int | None = None) -> Body:
        """Return `{position, at, head, end, end_at, marks}`: where that is in the log, and what the log has to mark."""
        return positions_answer(self._documents, self._feed, self._pin(at))

    def _pin(self, at: int | None) -> int:
        if at is None:
            return self._documents.position()
        self.check_reached(at)
        return at

    def _resolve(self, viewer: Viewer, given: str, at: int) -> str:
        """Complete an id or unique prefix (a task's suffix stays); what the viewer may see is as of today."""
        prefix, dash, suffix = given.partition("-")
        check_id_prefix(prefix)
        matches = self._matches(viewer, prefix, at) if EXPERIMENT_ID.fullmatch(prefix) else []
        if not matches:
            raise NotFoundError.for_name("experiment", given, nearest_names(prefix, self._recent(viewer, at)))
        return require_single_match(prefix, matches) + dash + suffix

    def _matches(self, viewer: Viewer, prefix: str, at: int) -> list[str]:
        found = []
        for then in self._documents.versions(experiment.KIND, at, prefix):
            today = self._documents.get(experiment.KIND, then.id)
            if viewer.may_see(today.body if today else then.body):
                found.append(then.id)
                if len(found) == MOST_CANDIDATES:
                    break
        return found

    def _follow_ups(self, kind: str, name: str, at: int) -> Newest:
        found = (task_status(kind, document.body) for document in self._documents.versions(kind, at, f"{name}-"))
        return Newest((int(body[kind].rpartition("-")[2][1:]), body) for body in found)

    def _annotations(self, name: str, at: int) -> Newest:
        remarks = (document.body for document in self._documents.versions(experiment.ANNOTATION, at, f"{name}/"))
        return Newest((body["position"], body) for body in remarks)

    def _events(self, name: str, at: int) -> Newest:
        """Return what the log itself has: a copy of each event's facts would be half of all documents."""
        recorded = self._feed.of_stream(experiment_stream(name), at)
        return Newest((one.position, experiment.line_of(one)) for one in recorded)

    def _nearest_tasks(self, task: str, at: int) -> list[str]:
        prefix = f"{task.partition('-')[0]}-"
        kinds = (tasks.EVALUATION, tasks.REPRODUCTION)
        return nearest_names(task, [it.id for kind in kinds for it in self._documents.versions(kind, at, prefix)])

    def _recent(self, viewer: Viewer, at: int) -> list[str]:
        session = open_session_of(self._documents, viewer, at)
        own = members_of(self._documents, session, at) if session else []
        return [*own, *(row["experiment"] for row in self._rows.page(HistoryQuery(at)).rows)]
