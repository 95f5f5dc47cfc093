"""What is answered about sessions: always to their owner alone."""

from __future__ import annotations

from bisect import bisect_left

from domain.errors import NotFoundError
from projections import experiment, session
from projections.change import Body
from projections.nearest import nearest
from projections.paging import everything
from projections.ports import Documents
from projections.replay.newest import MOST
from projections.visibility import Viewer

NONE_OPEN = ("session", "state", "opened_at", "closed_at", "message")


def session_answer(documents: Documents, viewer: Viewer, name: str | None, at: int) -> Body:
    """Return a session with its experiments; without a name the open one, all null where none is open."""
    chosen = name or open_session_of(documents, viewer, at)
    if chosen is None:
        nothing = dict.fromkeys(NONE_OPEN)
        return nothing | {"owner": viewer.client, "unfinished": 0, "experiments": [], "position": at}
    document = documents.get(session.KIND, chosen, at)
    if document is None or document.body["owner"] != viewer.client:
        own = [body["session"] for body in _own(documents, viewer, at)]
        raise NotFoundError.named("session", chosen, nearest(chosen, own))
    held = [documents.get(experiment.KIND, member, at) for member in members_of(documents, chosen, at)]
    experiments = [experiment.status_of(it.body) for it in held if it is not None]
    return document.body | {"experiments": experiments, "position": at}


def sessions_answer(documents: Documents, viewer: Viewer, at: int) -> Body:
    """Return the viewer's newest sessions, newest first; `experiments` is a count here."""
    own = _own(documents, viewer, at)
    told = {"sessions": own, "position": at}
    older = _number(own[-1]) - 1 if own else 0
    return told | {"note": f"The newest {MOST} sessions; {older} older ones are left out."} if older else told


def open_session_of(documents: Documents, viewer: Viewer, at: int) -> str | None:
    """Return the id of the viewer's open session."""
    document = documents.get(session.OPEN_SESSION, viewer.client, at)
    return document.body["session"] if document else None


def members_of(documents: Documents, name: str, at: int) -> list[str]:
    """Return the ids of a session's experiments, in the order they began."""
    return [document.body["experiment"] for document in everything(documents, session.MEMBER, f"{name}/", at)]


def _own(documents: Documents, viewer: Viewer, at: int) -> list[Body]:
    """Return the newest of a client's sessions: they are numbered without holes."""
    last = _last_number(documents, viewer, at)
    numbers = range(last, max(last - MOST, 0), -1)
    found = (documents.get(session.KIND, f"{viewer.client}-{number}", at) for number in numbers)
    return [document.body for document in found if document is not None]


def _last_number(documents: Documents, viewer: Viewer, at: int) -> int:
    """Find the number of the client's last session in a few looks."""

    def opened(number: int) -> bool:
        return documents.get(session.KIND, f"{viewer.client}-{number}", at) is not None

    beyond = 1
    while opened(beyond):
        beyond *= 2
    return bisect_left(range(beyond), 1, lo=beyond // 2, key=lambda number: not opened(number)) - 1 if beyond > 1 else 0


def _number(body: Body) -> int:
    return int(body["session"].rpartition("-")[2])
