"""Commit closes a session: what is chosen stays in the session's order, the rest is discarded."""

from __future__ import annotations

from domain.errors import ConflictError, NotFoundError
from domain.session import Session
from domain.session_events import SessionCommitted
from tests.domain.facts import session
from tests.domain.specification import Fact, Specification, fact


def committed(*kept: str, rest: tuple[str, ...] = (), message: str | None = None) -> Fact:
    return fact(SessionCommitted, committed=kept, discarded=rest, message=message)


def test_commit_of_all() -> None:
    closed = session("a", "b").when(lambda it: it.commit(["a", "b"], "both")).then(committed("a", "b", message="both"))
    assert not closed.is_open
    assert closed.committed == ("a", "b")


def test_commit_of_some_keeps_the_order_of_the_session() -> None:
    session("a", "b", "c").when(lambda it: it.commit(["c", "a"], None)).then(committed("a", "c", rest=("b",)))


def test_naming_one_twice_commits_it_once() -> None:
    session("a").when(lambda it: it.commit(["a", "a"], None)).then(committed("a"))


def test_commit_of_a_foreign_one() -> None:
    session("a").when(lambda it: it.commit(["a", "z"], None)).refused(NotFoundError, "'z'")


def test_commit_of_nothing() -> None:
    session("a").when(lambda it: it.commit([], None)).refused(ConflictError, "nothing to commit")


def test_commit_twice() -> None:
    closed = session("a").given(committed("a"))
    closed.when(lambda it: it.commit(["a"], None)).refused(ConflictError, "no open session")


def test_commit_before_it_is_open() -> None:
    blank = Specification(Session, "session:ana:1")
    blank.when(lambda it: it.commit([], None)).refused(ConflictError, "no open session")
