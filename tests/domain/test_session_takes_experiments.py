"""A session opens once and takes experiments in, up to its limit, as long as it is open."""

from __future__ import annotations

from domain.errors import ConflictError
from domain.session import Session
from domain.session_events import ExperimentAdded, SessionDiscarded, SessionOpened
from domain.values import MAX_EXPERIMENTS_OF_A_SESSION
from tests.domain.facts import session
from tests.domain.specification import Specification, fact

blank = Specification(Session, "session:ana:1")


def test_opens() -> None:
    opened = blank.when(lambda it: it.open("ana")).then(fact(SessionOpened, client="ana"))
    assert opened.is_open
    assert opened.client == "ana"


def test_opens_only_once() -> None:
    session().when(lambda it: it.open("ana")).refused(ConflictError, "open already")


def test_does_not_open_again_when_ended() -> None:
    ended = session().given(fact(SessionDiscarded, discarded=()))
    ended.when(lambda it: it.open("ana")).refused(ConflictError, "discarded already")


def test_takes_an_experiment_in() -> None:
    held = session("a").when(lambda it: it.add("b")).then(fact(ExperimentAdded, experiment="b"))
    assert held.experiments == ["a", "b"]


def test_takes_nothing_in_before_it_is_open() -> None:
    blank.when(lambda it: it.add("a")).refused(ConflictError, "no open session")


def test_takes_nothing_in_after_its_end() -> None:
    ended = session().given(fact(SessionDiscarded, discarded=()))
    ended.when(lambda it: it.add("a")).refused(ConflictError, "no open session")


def test_holds_as_many_as_the_limit_says() -> None:
    nearly = session(*map(str, range(MAX_EXPERIMENTS_OF_A_SESSION - 1)))
    nearly.when(lambda it: it.add("last")).then(fact(ExperimentAdded, experiment="last"))


def test_holds_no_more_than_the_limit() -> None:
    full = session(*map(str, range(MAX_EXPERIMENTS_OF_A_SESSION)))
    full.when(lambda it: it.add("more")).refused(ConflictError, "at most 500 experiments")


def test_two_blank_sessions_share_no_list() -> None:
    session("a").aggregate()
    assert Session.create_blank("session:bo:1").experiments == []
