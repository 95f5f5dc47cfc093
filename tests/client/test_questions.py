"""Questions in Python get the answers of the command line, now and as of any moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from autolearn import Backend, InvalidInputError, NotFoundError, RefusedInputError
from autolearn.results import Result
from tests.end_to_end.place import Shell


def facts_of(shell: Shell, *words: str) -> Any:
    return shell(*words).json


def ids(backend: Backend) -> list[str]:
    return [it.experiment for it in backend.history()]


def test_each_question_is_answered_as_on_the_command_line(shell: Shell, backend: Backend) -> None:
    one, other = ids(backend)
    asked: list[tuple[Result, tuple[str, ...]]] = [
        (backend.catalog(), ("catalog",)),
        (backend.models(), ("catalog", "models")),
        (backend.model("svm"), ("catalog", "models", "svm")),
        (backend.measure("recall"), ("catalog", "measures", "recall")),
        (backend.dataset("iris@1"), ("catalog", "datasets", "iris@1")),
        (backend.profile("iris", rows=3), ("dataset", "show", "iris", "--rows", "3")),
        (backend.session(), ("session",)),
        (backend.session("local-1"), ("session", "local-1")),
        (backend.sessions(), ("session", "list")),
        (backend.searches(), ("search", "list")),
        (backend.history(where="model = decision-tree"), ("history", "--where", "model = decision-tree")),
        (backend.show(one[:6]), ("show", one[:6])),
        (backend.compare(one, other), ("compare", one, other)),
        (backend.report(one), ("report", one)),
        (backend.status(f"{one}-e1"), ("status", f"{one}-e1")),
        (backend.predictions(), ("predictions",)),
        (backend.clients(), ("client", "list")),
    ]
    for answer, words in asked:
        shown = facts_of(shell, *words)
        assert answer.facts == shown, words
        assert answer.position == shown["position"], words


@pytest.mark.parametrize("form", ["position", "text", "time"])
def test_as_of_is_the_moment_of_the_command_line(shell: Shell, backend: Backend, form: str) -> None:
    (committed,) = {it.committed_at for it in backend.history()}
    newest = ids(backend)[0]
    at = next(it["position"] for it in backend.show(newest).events or [] if it["name"] == "training-completed")
    moments: dict[str, Any] = {"position": at, "text": f"@{at}", "time": datetime.fromisoformat(committed or "")}
    words = {"time": committed or ""}.get(form, f"@{at}")
    assert backend.session(as_of=moments[form]).facts == facts_of(shell, "session", "--as-of", words)
    assert backend.history(as_of=moments[form]).facts == facts_of(shell, "history", "--as-of", words)
    assert len(list(backend.history(as_of=at))) == 0


@pytest.mark.parametrize("moment", [datetime(2026, 1, 1), True, 1.5])  # noqa: DTZ001 - that is the mistake
def test_what_is_no_moment_is_refused_before_anything_is_sent(backend: Backend, moment: Any) -> None:
    with pytest.raises(InvalidInputError, match="zone"):
        backend.history(as_of=moment)


def test_errors_have_names(backend: Backend) -> None:
    with pytest.raises(NotFoundError) as missing:
        backend.model("svmm")
    assert "svm" in missing.value.problem["nearest"]
    with pytest.raises(RefusedInputError, match="cannot be read at character 12"):
        backend.history(where="precision >>> 3")
    with pytest.raises(InvalidInputError, match="ends at"):
        backend.history(as_of=10**6)
    with pytest.raises(InvalidInputError, match="names no search"):
        backend.show_search(backend.model("svm"))


def test_the_audit_log_iterates_over_its_pages(shell: Shell, backend: Backend) -> None:
    before = datetime.now(UTC)
    records = list(backend.log(until=before))
    assert [it.facts for it in records] == facts_of(shell, "log", "--until", before.isoformat(), "--limit", "1000")[
        "communications"
    ]
    assert [it.operation for it in backend.log(operation="POST /session/commit")] == ["POST /session/commit"]


def test_verify_and_replay_say_what_the_command_line_says(shell: Shell, backend: Backend) -> None:
    verified = backend.verify(progress=False)
    assert (verified.ok, verified.faults) == (True, [])
    at = verified.position
    assert backend.replay(at).facts == facts_of(shell, "replay", "--as-of", f"@{at}")


def test_the_pages_of_a_real_backend_are_one_table(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, log = ids(backend), [it.facts for it in backend.log(until=datetime.now(UTC), limit=20)]
    monkeypatch.setattr("autolearn.results.FIRST_PAGE", 1)
    monkeypatch.setattr("autolearn.results.LATER_PAGES", 3)
    assert [it.experiment for it in backend.history(since="2h")] == whole
    later = backend.log(since="2h", limit=30)
    assert [it.facts for it in later if it.facts in log] == log


def test_many_are_compared_by_what_the_history_has(backend: Backend, shell: Shell) -> None:
    one, other = (it.experiment for it in backend.history())
    uncommitted = shell("session").json["experiments"][0]["experiment"]
    few = {row["name"]: row["values"] for row in backend.compare(one, other, uncommitted).facts["rows"]}
    many = backend.compare(*[one, other] * 11, uncommitted)
    assert many.facts["experiments"] == [*[one, other] * 11, uncommitted]
    rows = {row["name"]: row["values"] for row in many.facts["rows"]}
    assert {name: [values[0], values[1], values[-1]] for name, values in rows.items()} == {
        name: few[name] for name in rows
    }
    assert {"accuracy", "model.name", "setting.max_depth", "seed", "fit_seconds"} <= set(rows)
    assert "state" not in rows
