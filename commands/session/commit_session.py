"""Commit the caller's session: all or the named experiments become history and it closes, in one append."""

from __future__ import annotations

from dataclasses import dataclass

from commands.answers import answer_at, event_of
from commands.call import Answer
from commands.context import CommandContext
from commands.lookup import require_open_session
from commands.ports import StoredAppend
from commands.session.discard_session import cancel_searches, discard_all
from commands.unit_of_work import UnitOfWork
from domain.errors import NotFoundError, UnfinishedError
from domain.experiment import Experiment
from domain.lookup import nearest_names, require_single_match
from domain.search import Search
from domain.session import Session
from domain.session_events import SessionCommitted
from domain.values import check_id_prefix, check_text, experiment_stream, search_stream, session_id


@dataclass(frozen=True, slots=True)
class CommitSession:
    """Ids or unique prefixes of experiments (none: every completed one), and an optional message."""

    experiments: tuple[str, ...] = ()
    message: str | None = None


def commit_session(command: CommitSession, context: CommandContext) -> StoredAppend | None:
    """Append session-committed, experiment-committed for what stays and experiment-discarded for the rest."""
    message = None if command.message is None else check_text("message", command.message)

    def decision(work: UnitOfWork) -> list[str]:
        session = require_open_session(work, context.call.client)
        held = {name: work.get(Experiment, experiment_stream(name)) for name in session.experiments}
        searches = [work.get(Search, search_stream(name)) for name in session.searches]
        named = command.experiments
        chosen = _choose_named(session, named) if named else _choose_completed(held, searches)
        session.commit(chosen, message)
        for name in chosen:
            held[name].commit(session_id(session.id))
        rest = discard_all((it for name, it in held.items() if name not in chosen), session_id(session.id))
        return [*rest, *cancel_searches(searches)]

    cancelled, appended = context.decide(decision)
    context.tasks.cancel(*cancelled)
    return appended


def answer_committed(_: CommitSession, appended: StoredAppend, __: CommandContext) -> Answer:
    """Answer with the receipt: what is committed, when, at which position, with which chain hash."""
    event = event_of(appended, SessionCommitted)
    body = {
        "session": session_id(event.originator_id),
        "committed_at": appended.at.isoformat(),
        "experiments": list(event.committed),
        "discarded": list(event.discarded),
        "message": event.message,
        "head": appended.hash.hex(),
    }
    return answer_at(appended, body)


def _choose_completed(held: dict[str, Experiment], searches: list[Search]) -> list[str]:
    unfinished = [task.id for it in held.values() for task in it.unfinished_tasks("training", "evaluation")]
    unfinished += [search.name for search in searches if search.is_unfinished]
    if unfinished:
        raise UnfinishedError(
            f"Not finished yet: {', '.join(unfinished)}. Wait for them, cancel them, or name what to commit.",
            unfinished=unfinished,
        )
    return [name for name, it in held.items() if it.training_state == "completed"]


def _choose_named(session: Session, given: tuple[str, ...]) -> list[str]:
    chosen = []
    for prefix in given:
        matches = [name for name in session.experiments if name.startswith(check_id_prefix(prefix))]
        if not matches:
            near = nearest_names(prefix, session.experiments)
            sentence = f"There is no experiment {prefix!r} in your session: `autolearn session` lists what it holds."
            raise NotFoundError(sentence, nearest=near)
        chosen.append(require_single_match(prefix, matches))
    return list(dict.fromkeys(chosen))
