"""What each event of a stream changed in the document about it: its old and new values, by a fold of that stream alone.

What the document takes from other streams is left out, but for the tries that an experiment's commit counts; so is what
the read models keep for themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from domain.client import Client
from domain.experiment_events import ExperimentCommitted
from projections import catalog, experiment, prediction, search, session, tries
from projections.fold import Evolve
from projections.ports import Body, Documents, Recorded
from projections.stream_replay import document_of

EVOLVE: Final[dict[str, Evolve]] = {
    "experiment": experiment.evolve,
    "session": session.evolve,
    "search": search.evolve,
    "prediction": prediction.evolve,
    **dict.fromkeys(catalog.CALLED, catalog.evolve),
}
# What the experiments of a session have unfinished; the number of an experiment's row in the history, and the tasks
# that are open, by which the read models find their way: no answer about an experiment shows these two.
LEFT_OUT: Final = {"session": {"unfinished"}, "experiment": {"n", "open"}}

After = Callable[[Recorded], Body | None]  # the document after an event


def changes_of(
    documents: Documents, stream: str, recorded: Sequence[Recorded], wanted: Collection[int]
) -> dict[int, Body | None]:
    """Return `{name: [old, new]}` for the events at the wanted positions, of all events of a stream in order.

    None where no document is about the stream. A value that there is not yet is None.
    """
    kind = stream.partition(":")[0]
    after = _of_client(stream) if kind == "client" else _of_document(documents, stream) if kind in EVOLVE else None
    if after is None:
        return dict.fromkeys(wanted)
    left_out, before, found = LEFT_OUT.get(kind, set()), dict[str, Any](), dict[int, Body | None]()
    for one in recorded:
        now = after(one) or {}
        if one.position in wanted:
            names = (name for name in {**before, **now} if name not in left_out)
            pairs = ((name, before.get(name), now.get(name)) for name in names)
            found[one.position] = {name: [old, new] for name, old, new in pairs if old != new}
        before = now
    return found


def _of_client(stream: str) -> After:
    client = Client.create_blank(stream)

    def after(one: Recorded) -> Body:
        one.event.mutate(client)
        return {"roles": list(client.roles), "generation": client.key_generation, "revoked": client.revoked}

    return after


def _of_document(documents: Documents, stream: str) -> After:
    evolve, about = EVOLVE[stream.partition(":")[0]], document_of(stream)
    known: dict[tuple[str, str], Body | None] = {}

    def after(one: Recorded) -> Body | None:
        def current(kind: str, id: str) -> Body | None:
            if kind != tries.KIND:
                return known.get((kind, id))
            if not isinstance(one.event, ExperimentCommitted):
                return None  # others add to the count, and their own document does not show it
            document = documents.get(kind, id, one.commit)
            return document.body if document else None

        known.update({(it.kind, it.id): it.body for it in evolve(one, current)})
        return known.get(about)

    return after
