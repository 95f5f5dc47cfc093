"""Finding by beginnings, what may be seen, and a session's number from the log alone."""

from __future__ import annotations

from itertools import count
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.call import Call
from commands.lookup import current_session, find_experiment, find_task, open_session
from commands.ports import AppendHeader
from commands.session.commit_session import CommitSession
from commands.session.discard_session import DiscardSession
from commands.training.request_training import RequestTraining
from commands.unit_of_work import UnitOfWork
from domain.errors import AmbiguousIdError, BadInputError, NotFoundError
from domain.events import Event, Metadata
from domain.session import Session
from domain.session_events import SessionDiscarded, SessionOpened
from tests.commands.stage import Caller, Stage

IDS = {"k1": "abcdaaaaaaaaaaaa", "k2": "abcdabbbbbbbbbbb", "k3": "abczcccccccccccc"}


@pytest.fixture
def known(stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Train experiments of ana's whose ids are known."""
    named = {ana.call(key).command_id: name for key, name in IDS.items()}
    monkeypatch.setattr(Call, "experiment", property(lambda call: named[call.command_id]))
    for key in IDS:
        ana.do(RequestTraining("iris", "svm"), key=key)
    monkeypatch.undo()
    return IDS


def test_a_unique_beginning_names_one(stage: Stage, ana: Caller, known: dict[str, str]) -> None:
    for prefix, key in (("abcz", "k3"), ("abcdaa", "k1"), ("abcdab", "k2"), (known["k1"], "k1")):
        assert find_experiment(stage.work(), ana.call(), prefix).name == known[key]


def test_a_beginning_of_several_is_ambiguous(stage: Stage, ana: Caller, known: dict[str, str]) -> None:
    candidates = [known["k1"], known["k2"]]
    with stage.refused(AmbiguousIdError, ", ".join(candidates), candidates=candidates):
        find_experiment(stage.work(), ana.call(), "abcda")


@pytest.mark.parametrize("given", ["", "a", "abc"])
def test_a_short_beginning_is_refused(stage: Stage, ana: Caller, given: str, known: dict[str, str]) -> None:
    with stage.refused(BadInputError, "4 or more characters"):
        find_experiment(stage.work(), ana.call(), given)


@pytest.mark.parametrize(
    "given", ["abcx", "abcdaaaaaaaaaaaab", "ABCZ", "abc%", "abc_", "abc*", "abc\U0010ffff", "experiment"]
)
def test_what_names_none(stage: Stage, ana: Caller, given: str, known: dict[str, str]) -> None:
    with stage.refused(NotFoundError, "no experiment"):
        find_experiment(stage.work(), ana.call(), given)


def test_the_nearest_are_of_the_callers_session(stage: Stage, ana: Caller, bo: Caller, known: dict[str, str]) -> None:
    with stage.refused(NotFoundError, nearest=[known["k1"]]):
        find_experiment(stage.work(), ana.call(), "abcdaaaaaaaaaaax")
    with stage.refused(NotFoundError, "no experiment 'abcdaaaaaaaaaaax'.", nearest=[]):
        find_experiment(stage.work(), bo.call(), "abcdaaaaaaaaaaax")


def test_a_foreign_uncommitted_one_is_not_there(stage: Stage, bo: Caller, admin: Caller, known: dict[str, str]) -> None:
    for stranger in (bo, admin):
        with stage.refused(NotFoundError, f"no experiment '{known['k1']}'.", nearest=[]):
            find_experiment(stage.work(), stranger.call(), known["k1"])


def test_a_foreign_uncommitted_one_makes_nothing_ambiguous(
    stage: Stage, ana: Caller, bo: Caller, known: dict[str, str]
) -> None:
    ana.do(CommitSession((known["k1"],)))
    assert find_experiment(stage.work(), bo.call(), "abcda").name == known["k1"]


def test_who_may_see(stage: Stage, ana: Caller, bo: Caller) -> None:
    kept, gone = ana.train(), ana.train()
    assert find_experiment(stage.work(), ana.call(), kept).name == kept
    with stage.refused(NotFoundError):
        find_experiment(stage.work(), bo.call(), kept)
    ana.do(CommitSession((kept,)))
    assert find_experiment(stage.work(), bo.call(), kept).name == kept
    assert find_experiment(stage.work(), ana.call(), gone).name == gone
    with stage.refused(NotFoundError):
        find_experiment(stage.work(), bo.call(), gone)


def test_tasks_are_found_by_their_ids(stage: Stage, ana: Caller) -> None:
    name = ana.train()
    assert find_task(stage.work(), ana.call(), name[:5])[1] == name
    with stage.refused(NotFoundError, f"'{name}-e1'", nearest=[name]):
        find_task(stage.work(), ana.call(), f"{name}-e1")


def test_sessions_are_numbered_on(stage: Stage, ana: Caller) -> None:
    assert current_session(stage.work(), "ana").id == "session:ana:1"
    for number in range(1, 6):
        work = stage.work()
        assert open_session(work, "ana").id == f"session:ana:{number}"
        ana.train()
        assert open_session(stage.work(), "ana").id == f"session:ana:{number}"
        ana.do(DiscardSession())
        assert current_session(stage.work(), "ana").id == f"session:ana:{number}"


class CountingStore:
    """A log that has a client's first sessions, the last of them open, and counts how often it is asked."""

    def __init__(self, sessions: int) -> None:
        self.sessions, self.reads = sessions, 0

    def version(self, stream: str) -> int:
        self.reads += 1
        return int(int(stream.rpartition(":")[2]) <= self.sessions)

    def stream(self, stream: str, until: int | None = None) -> list[Event]:
        opened = SessionOpened(originator_id=stream, originator_version=1, client="ana")
        closed = SessionDiscarded(originator_id=stream, originator_version=2, discarded=())
        is_last = stream == f"session:ana:{self.sessions}"
        return [opened, *([] if is_last else [closed])] if self.version(stream) else []


@given(st.integers(0, 5000))
def test_the_last_session_is_found_in_few_reads(sessions: int) -> None:
    store = CountingStore(sessions)
    work = UnitOfWork(store)  # type: ignore[arg-type] # the two methods that it needs
    found = current_session(work, "ana")
    assert store.reads <= 2 * sessions.bit_length() + 3
    assert found.exists == (sessions > 0)
    first_without = next(number for number in count(1) if not store.version(f"session:ana:{number}"))
    assert found.id == f"session:ana:{max(first_without - 1, 1)}"


@given(st.integers(1, 5000), st.integers(0, 3))
def test_what_follows_the_session_met_last_is_found_in_few_reads(met: int, more: int) -> None:
    store, met_last = CountingStore(met), {"ana": 1}
    for sessions in (met, met, met + more):
        store.sessions, store.reads = sessions, 0
        work = UnitOfWork(store, met_last)  # type: ignore[arg-type] # the two methods that it needs
        assert current_session(work, "ana").id == f"session:ana:{sessions}"
    assert store.reads <= 1 + 4 * more


def test_clients_whose_names_begin_alike_have_their_own_sessions(stage: Stage) -> None:
    for client in ("ana", "ana-1", "an"):
        session = Session.create_blank(f"session:{client}:1")
        session.open(client)
        events: list[Event] = [event for event in session.collect_events() if isinstance(event, Event)]
        stage.store.append(events, AppendHeader(uuid4(), uuid4(), Metadata(actor=client)))
    for client in ("ana", "ana-1", "an"):
        assert current_session(stage.work(), client).client == client
    assert current_session(stage.work(), "a").state == "blank"
