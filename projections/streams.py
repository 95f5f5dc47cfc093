"""Which stream a caller names, and whether it may see it: by the rules of today, also for questions about the past."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Final

from domain.errors import ForbiddenError, NotFoundError
from domain.lookup import nearest_names, require_single_match
from domain.values import check_id_prefix, session_stream
from projections import catalog, experiment, prediction, search, session
from projections.ports import Body, Document, Documents
from projections.visibility import Viewer

MOST_CANDIDATES: Final = 10  # that an ambiguous prefix is answered with
FOR_SYSADMINS: Final = ("client", "installation")
KINDS: Final = ("experiment", "search", "prediction", "session", *catalog.CALLED, *FOR_SYSADMINS)
PLURALS: Final = {"experiment": "experiments", "search": "searches", "prediction": "predictions"}


def find_stream(documents: Documents, viewer: Viewer, given: str, at: int) -> str:
    """Return the whole name of a stream: `KIND:NAME`, or the id of an experiment; an id can be a unique prefix.

    Raises NotFoundError for what is not there or not the viewer's to see, ForbiddenError for what only sys-admins see.
    """
    kind, _, name = given.partition(":") if ":" in given else ("experiment", "", given)
    if kind not in KINDS:
        sentence = f"There is no stream {given!r}. It is written KIND:NAME, where KIND is one of {', '.join(KINDS)}."
        raise NotFoundError(sentence, nearest=[f"{it}:{name}" for it in nearest_names(kind, KINDS)])
    if kind in FOR_SYSADMINS:
        if not viewer.is_sysadmin:
            raise ForbiddenError(f"Streams of {kind}s are for sys-admins.")
        return given
    if kind in PLURALS:
        return f"{kind}:{_find_id(documents, viewer, kind, name, at)}"
    if kind == session.KIND:
        return _find_session(documents, viewer, name, at)
    return _find_offer(documents, kind, name, at)


def _find_id(documents: Documents, viewer: Viewer, kind: str, given: str, at: int) -> str:
    prefix = check_id_prefix(given)
    then = documents.versions(kind, at, prefix) if prefix.isascii() and prefix.isalnum() else ()
    visible = (it.id for it in then if _may_see(documents, viewer, it))
    found = list(islice(visible, MOST_CANDIDATES))
    if not found:
        raise NotFoundError.for_name(kind, given)
    return require_single_match(given, found, PLURALS[kind])


def _find_session(documents: Documents, viewer: Viewer, given: str, at: int) -> str:
    """Find `ana:3` or `ana-3`."""
    name = given.replace(":", "-")
    document = documents.get(session.KIND, name, at)
    if document is None or not (viewer.is_sysadmin or document.body["owner"] == viewer.client):
        raise NotFoundError.for_name("session", name)
    return session_stream(document.body["owner"], int(name.rpartition("-")[2]))


def _find_offer(documents: Documents, kind: str, name: str, at: int) -> str:
    if documents.get(catalog.KIND, f"{kind}/{name}", at) is None:
        known = [it.id.partition("/")[2] for it in documents.versions(catalog.KIND, at, f"{kind}/")]
        raise NotFoundError.for_name(catalog.CALLED[kind], name, nearest_names(name, known))
    return f"{kind}:{name}"


def _may_see(documents: Documents, viewer: Viewer, then: Document) -> bool:
    today = documents.get(then.kind, then.id)
    return viewer.is_sysadmin or MAY_SEE[then.kind](documents, viewer, (today or then).body)


def _may_see_experiment(_: Documents, viewer: Viewer, body: Body) -> bool:
    return viewer.may_see(body)


def _may_see_prediction(documents: Documents, viewer: Viewer, body: Body) -> bool:
    of = documents.get(experiment.KIND, body["experiment"])
    return of is not None and viewer.may_see(of.body)


MAY_SEE: Final[dict[str, Callable[[Documents, Viewer, Body], bool]]] = {
    experiment.KIND: _may_see_experiment,
    search.KIND: search.may_see,
    prediction.KIND: _may_see_prediction,
}
