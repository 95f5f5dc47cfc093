"""What is answered about one experiment, evaluation or reproduction, to who may see it."""

from __future__ import annotations

import re

from domain.errors import AmbiguousIdError, NotFoundError
from domain.values import SHORTEST_BEGINNING, checked_beginning
from projections import experiment, tasks
from projections.change import Body
from projections.nearest import nearest
from projections.paging import everything
from projections.ports import Documents, History, HistoryQuery
from projections.replay.newest import MOST, Newest
from projections.session_answers import members_of, open_session_of
from projections.visibility import Viewer

LISTED = 10  # candidates that an ambiguous beginning is answered with
EXPERIMENT = re.compile(rf"[a-z2-7]{{{SHORTEST_BEGINNING},16}}")
SHOWN = (
    "committed_at", "actor", "withdrawn", "owner", "requested_at", "distribution", "split", "provenance", "blobs",
)  # fmt: skip


class ExperimentAnswers:
    """Visibility is today's; contents are those of position `at`."""

    def __init__(self, documents: Documents, history: History) -> None:
        self._documents = documents
        self._history = history

    def resolve(self, viewer: Viewer, given: str, at: int) -> str:
        """Complete an id or unique beginning (a task's suffix stays); refuse a short, unknown or ambiguous one."""
        beginning, dash, suffix = given.partition("-")
        checked_beginning(beginning)
        candidates = self._beginning(viewer, beginning, at) if EXPERIMENT.fullmatch(beginning) else []
        if not candidates:
            raise NotFoundError.named("experiment", given, nearest(beginning, self._recent(viewer, at)))
        if len(candidates) > 1:
            sentence = f"{beginning!r} names several experiments: {', '.join(candidates)}."
            raise AmbiguousIdError(sentence, candidates=candidates)
        return candidates[0] + dash + suffix

    def status(self, viewer: Viewer, given: str, at: int) -> Body:
        """Return the object of `status`, `evaluate` or `reproduce`, by what the id names."""
        task = self.resolve(viewer, given, at)
        kind = tasks.kind_of(task)
        document = self._documents.get(kind, task, at)
        if document is None or ("-" in task and kind == experiment.KIND):
            raise NotFoundError.named("evaluation or reproduction", given, self._tasks_of(task, at))
        status = experiment.status_of if kind == experiment.KIND else tasks.status_of
        return status(document.body) | {"position": at}

    def show(self, viewer: Viewer, given: str, at: int) -> Body:
        """Return all that is known of an experiment."""
        name = self.resolve(viewer, given.partition("-")[0], at)
        document = self._documents.get(experiment.KIND, name, at)
        if document is None:
            raise NotFoundError.named("experiment", given)
        body = document.body
        lists = {
            "evaluations": self._follow_ups(tasks.EVALUATION, name, at),
            "reproductions": self._follow_ups(tasks.REPRODUCTION, name, at),
            "annotations": self._lines(experiment.ANNOTATION, name, at),
            "events": self._lines(experiment.EVENT, name, at),
        }
        shown = {key: body[key] for key in SHOWN} | {key: list(newest) for key, newest in lists.items()}
        left_out = [f"{newest.left_out} {key}" for key, newest in lists.items() if newest.left_out]
        note = {"note": f"Of each list the newest {MOST}; left out: {', '.join(left_out)}."} if left_out else {}
        return experiment.status_of(body) | shown | {"position": at} | note

    def _beginning(self, viewer: Viewer, beginning: str, at: int) -> list[str]:
        found = []
        for then in everything(self._documents, experiment.KIND, beginning, at):
            today = self._documents.get(experiment.KIND, then.id)
            if viewer.may_see(today.body if today else then.body):
                found.append(then.id)
                if len(found) == LISTED:
                    break
        return found

    def _follow_ups(self, kind: str, name: str, at: int) -> Newest:
        found = (tasks.status_of(document.body) for document in everything(self._documents, kind, f"{name}-", at))
        return Newest((int(body[kind].rpartition("-")[2][1:]), body) for body in found)

    def _lines(self, kind: str, name: str, at: int) -> Newest:
        lines = (document.body for document in everything(self._documents, kind, f"{name}/", at))
        return Newest((body["position"], body) for body in lines)

    def _tasks_of(self, task: str, at: int) -> list[str]:
        name = task.partition("-")[0]
        kinds = (tasks.EVALUATION, tasks.REPRODUCTION)
        known = [document.id for kind in kinds for document in everything(self._documents, kind, f"{name}-", at)]
        return nearest(task, known)

    def _recent(self, viewer: Viewer, at: int) -> list[str]:
        rows = self._history.page(HistoryQuery(at)).rows
        session = open_session_of(self._documents, viewer, at)
        own = members_of(self._documents, session, at) if session else []
        return [*own, *(row["experiment"] for row in rows)]
