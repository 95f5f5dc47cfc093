"""Discard closes a session and keeps nothing."""

from __future__ import annotations

from domain.errors import ConflictError
from domain.session import Session
from domain.session_events import SessionCommitted, SessionDiscarded
from tests.domain.facts import session
from tests.domain.specification import Specification, fact


def test_discards_all() -> None:
    closed = session("a", "b").when(Session.discard).then(fact(SessionDiscarded, discarded=("a", "b")))
    assert not closed.is_open
    assert closed.committed == ()


def test_discards_an_empty_session() -> None:
    session().when(Session.discard).then(fact(SessionDiscarded, discarded=()))


def test_discards_only_once() -> None:
    closed = session("a").given(fact(SessionDiscarded, discarded=("a",)))
    closed.when(Session.discard).refused(ConflictError, "no open session")


def test_does_not_discard_what_is_committed() -> None:
    closed = session("a").given(fact(SessionCommitted, committed=("a",), discarded=()))
    closed.when(Session.discard).refused(ConflictError, "no open session")


def test_does_not_discard_before_it_is_open() -> None:
    Specification(Session, "session:ana:1").when(Session.discard).refused(ConflictError, "no open session")
