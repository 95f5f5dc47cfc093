"""The questions: their objects' keys, who may see what, cursors that pin their position, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.errors import (
    AmbiguousIdError,
    AmbiguousNameError,
    BadCursorError,
    BadInputError,
    FilterError,
    NotFoundError,
    NotReachedError,
)
from domain.values import NOTHING_MEASURED, DatasetRef, EvaluationNotes, ModelRef
from projections.history_answers import HistoryRequest
from projections.queries import Queries
from projections.visibility import Viewer
from tests.projections.seal import OpenSeal
from tests.projections.world import AVERAGE, World

ANA, BEN, ROOT = Viewer("ana", ("analyst",)), Viewer("ben", ("analyst",)), Viewer("root", ("sys-admin",))
A, B, C, D = ("aaaa" + letter * 12 for letter in "abcd")
STATUS = {"experiment", "state", "session", "dataset", "model", "settings", "seed", "learned", "fit_seconds", "error",
          "position"}  # fmt: skip
SHOWN = {"learned", "split", "provenance", "blobs", "report", "evaluations", "annotations", "events"}
TWO_UNKNOWN = (
    "There is no model 'qqq'. `autolearn catalog models` lists them. There is no data set 'iriss'. Nearest: iris."
)
ROW = {
    "experiment", "committed_at", "actor", "session", "model", "dataset", "target", "columns", "features", "split",
    "seed", "fit_seconds", "settings", "measures", "intervals", "spread", "threshold", "reasons", "warnings",
    "positives", "tried", "withdrawn",
}  # fmt: skip


@pytest.fixture
def asked(world: World) -> Queries:
    """Ana has committed A (0.9) and B (0.8), discarded C, and D is in her open session."""
    world.offer("measure:precision", AVERAGE)
    world.offer(
        "model:svm", {"C": {"type": "number", "default": 1.0}, "max_depth": {"type": "integer", "default": None}}
    )
    world.register("iris")
    for name, precision in ((A, 0.9), (B, 0.8), (C, 0.7)):
        world.train("ana", name)
        world.evaluate("ana", name, {"precision:macro": precision})
    world.commit("ana", [A, B], "first")
    world.train("ana", D)
    world.catch_up()
    return Queries(world.documents, world.history, world.feed, OpenSeal())


def test_folds_are_found_by_their_mean_and_their_spread(asked: Queries, world: World) -> None:
    name = "precision:macro/cv5"
    for experiment, spread in ((A, 0.01), (B, 0.03)):
        world.evaluate("ana", experiment, {name: 0.9}, EvaluationNotes(spread={name: spread}, folds={name: (0.9, 0.9)}))
    world.catch_up()
    assert experiments(asked.history(ANA, HistoryRequest(where="precision/cv5.std < 0.02"))) == [A]
    assert experiments(asked.history(ANA, HistoryRequest(where="precision/cv5 > 0", sort="-precision/cv5.std"))) == [
        B,
        A,
    ]
    assert asked.show(ANA, A)["folds"] == {name: [0.9, 0.9]}


def experiments(answer: dict[str, Any]) -> list[str]:
    return [row["experiment"] for row in answer["experiments"]]


def test_status_has_its_keys_for_who_may_see_it(asked: Queries) -> None:
    status = asked.status(ANA, D)
    assert set(status) >= STATUS
    assert (status["state"], status["standing"], status["session"]) == ("completed", "uncommitted", "ana-2")
    assert status["dataset"] == {"name": "iris", "version": 1, "sha256": "a" * 64}
    assert status["learned"] == {"coefficients": [1.0, None]}
    assert asked.status(BEN, A)["experiment"] == A


@pytest.mark.parametrize("viewer", [BEN, ROOT])
@pytest.mark.parametrize("name", [C, D, D[:10], f"{C}-e1"])
def test_others_do_not_see_what_is_not_committed(asked: Queries, viewer: Viewer, name: str) -> None:
    for question in (asked.status, asked.show):
        with pytest.raises(NotFoundError) as refused:
            question(viewer, name)
        assert not {C, D} & set(refused.value.facts["nearest"])


def test_visibility_is_todays_also_for_the_past(asked: Queries, world: World) -> None:
    before = world.commits[4]
    assert asked.status(BEN, A, before)["standing"] == "uncommitted"
    with pytest.raises(NotFoundError):
        asked.status(ANA, D, before)


def test_beginnings_name_what_the_viewer_may_see(asked: Queries) -> None:
    assert asked.status(ANA, A[:5])["experiment"] == A
    assert asked.status(ANA, f"{A[:5]}-e1")["evaluation"] == f"{A}-e1"
    with pytest.raises(AmbiguousIdError) as refused:
        asked.status(BEN, "aaaa")
    assert refused.value.facts["candidates"] == [A, B]
    with pytest.raises(BadInputError, match="4 or more characters"):
        asked.status(ANA, A[:3])
    with pytest.raises(NotFoundError) as unknown:
        asked.status(BEN, "aaaaaaaaaaaaaaa7")
    assert A in unknown.value.facts["nearest"]


def test_evaluations_and_reproductions_have_a_status(asked: Queries, world: World) -> None:
    world.decide("ben", A, "request_reproduction")
    world.catch_up()
    evaluation = asked.status(BEN, f"{A}-e1")
    assert evaluation == {
        **NOTHING_MEASURED, "evaluation": f"{A}-e1", "experiment": A, "state": "completed",
        "measures": {"precision:macro": 0.9}, "on": None, "error": None, "position": world.commits[-1],
    }  # fmt: skip
    reproduction = asked.status(BEN, f"{A}-r1")
    assert (reproduction["state"], reproduction["verdict"]) == ("requested", None)
    for unknown in (f"{A}-e2", f"{A}-x1", f"{A}-"):
        with pytest.raises(NotFoundError):
            asked.status(BEN, unknown)


@pytest.mark.parametrize(
    ("request_", "note"),
    [
        (HistoryRequest(model="svn"), "There is no model 'svn'. Nearest: svm."),
        (HistoryRequest(model="qqq", dataset="iriss"), TWO_UNKNOWN),
        (HistoryRequest(actor="eva"), "No experiment was committed by 'eva'."),
        (HistoryRequest(model="svm", actor="ana", where="precision > 2"), None),
        (HistoryRequest(actor="ana"), None),
    ],
)  # fmt: skip
def test_a_name_that_is_none_is_told(asked: Queries, request_: HistoryRequest, note: str | None) -> None:
    answer = asked.history(BEN, request_)
    assert answer.get("note") == note
    assert bool(answer["experiments"]) == (request_ == HistoryRequest(actor="ana"))


def test_show_tells_all(asked: Queries, world: World) -> None:
    world.decide("ana", A, "annotate", "the best", "for the record")
    for _ in range(11):
        world.evaluate("ana", A, {"precision:macro": 0.95})
    world.catch_up()
    shown = asked.show(BEN, A)
    assert set(shown) >= STATUS | SHOWN | ROW
    assert [it["evaluation"] for it in shown["evaluations"]] == [f"{A}-e{number}" for number in range(1, 13)]
    assert [(it["text"], it["reason"], it["actor"]) for it in shown["annotations"]] == [
        ("the best", "for the record", "ana")
    ]
    assert set(shown["events"][0]) == {"position", "at", "name", "actor", "correlation"}
    assert [it["name"] for it in shown["events"][:3]] == [
        "training-requested",
        "training-started",
        "training-completed",
    ]
    assert shown["blobs"]["model"]["sha256"] == "b" * 64
    assert asked.show(BEN, A, world.commits[5])["annotations"] == []


def test_sessions_are_their_owners(asked: Queries) -> None:
    current = asked.session(ANA)
    assert (current["session"], current["state"], experiments(current)) == ("ana-2", "open", [D])
    first = asked.session(ANA, "ana-1")
    assert (first["state"], first["message"], experiments(first)) == ("committed", "first", [A, B, C])
    assert [it["session"] for it in asked.sessions(ANA)["sessions"]] == ["ana-2", "ana-1"]
    for viewer, name in ((BEN, "ana-1"), (ROOT, "ana-2"), (ANA, "ana-3")):
        with pytest.raises(NotFoundError):
            asked.session(viewer, name)
    nothing = asked.session(BEN)
    assert (nothing["session"], nothing["experiments"]) == (None, [])


def test_the_catalog_is_what_is_on_offer_then(asked: Queries, world: World) -> None:
    world.withdraw_offer("model:svm")
    world.retire("iris")
    world.catch_up()
    then = asked.catalog(BEN, at=world.commits[2])
    assert [it["name"] for it in then["models"]] == ["svm"]
    assert set(then["models"][0]) >= {"name", "description", "version", "settings"}
    assert set(then["datasets"][0]) >= {"name", "version", "rows", "columns", "target", "sha256"}
    assert then["measures"][0]["settings"] == AVERAGE
    now = asked.catalog(BEN)
    assert (now["models"], now["datasets"], len(now["measures"])) == ([], [], 1)
    assert asked.catalog(BEN, "measures", "precision")["measures"] == now["measures"]
    for kind, name in (("models", "svm"), ("measures", "precisoin"), ("shelves", None)):
        with pytest.raises(NotFoundError):
            asked.catalog(BEN, kind, name)


def test_a_named_data_set_has_its_versions_and_each_can_be_named(asked: Queries, world: World) -> None:
    before = world.feed.end()[0]
    world.register("iris", "b")
    world.catch_up()
    (latest,) = asked.catalog(BEN, "datasets", "iris")["datasets"]
    (first,) = asked.catalog(BEN, "datasets", "iris@1")["datasets"]
    assert [(it["version"], it["sha256"][0], it["columns"]) for it in latest["versions"]] == [(1, "a", 2), (2, "b", 2)]
    assert (latest["version"], first["version"], first["sha256"]) == (2, 1, "a" * 64)
    assert first["versions"] == latest["versions"]
    (then,) = asked.catalog(BEN, "datasets", "iris", before)["datasets"]
    assert (then["version"], len(then["versions"])) == (1, 1)
    for name, at, sentence in (
        ("iris@3", None, "has no version '3': there are versions 1 to 2"),
        ("iris@2", before, "has no version '2': there is version 1"),
        ("iris@x", None, "has no version 'x'"),
        ("irsi@1", None, "no data set 'irsi'.*iris"),
    ):
        with pytest.raises(NotFoundError, match=sentence):
            asked.catalog(BEN, "datasets", name, at)
    world.retire("iris")
    world.catch_up()
    with pytest.raises(NotFoundError):
        asked.catalog(BEN, "datasets", "iris@1")


def test_history_filters_sorts_and_pages(asked: Queries, world: World) -> None:
    page = asked.history(BEN, HistoryRequest(sort="-precision", limit=1))
    assert experiments(page) == [A]
    assert set(page["experiments"][0]) == ROW
    world.evaluate("ana", B, {"precision:macro": 0.99})
    world.decide("ana", A, "withdraw", "wrong data")
    world.catch_up()
    following = asked.history(BEN, HistoryRequest(sort="-precision", limit=5), page["next"])
    assert (experiments(following), following["next"], following["position"]) == ([B], None, page["position"])
    assert experiments(asked.history(BEN, HistoryRequest())) == [B]
    assert experiments(asked.history(BEN, HistoryRequest(withdrawn=True, where="precision > 0.85 and C = 1"))) == [B, A]
    assert asked.history(BEN, HistoryRequest(actor="ben", model="svm", dataset="iris"))["experiments"] == []


def test_since_and_until_are_times_ages_or_positions(asked: Queries, world: World) -> None:
    committed = next(one for one in world.feed.after(0, 1000) if one.event.NAME == "session-committed.v1")
    later = datetime.now(UTC) + timedelta(hours=5)
    aged = Queries(world.documents, world.history, world.feed, OpenSeal(), lambda: later)
    for since, until, found in (
        (committed.at.isoformat(), committed.at.isoformat(), 2),
        (f"@{committed.commit}", f"@{committed.commit}", 2),
        (f"@{committed.commit + 1}", None, 0),
        (None, "6h ago", 0),
        ("6h ago", None, 2),
        ("4h ago", None, 0),
    ):
        assert len(aged.history(BEN, HistoryRequest(since=since, until=until))["experiments"]) == found
    with pytest.raises(BadInputError):
        aged.history(BEN, HistoryRequest(since="yesterday"))


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (HistoryRequest(limit=0), BadInputError),
        (HistoryRequest(limit=1001), BadInputError),
        (HistoryRequest(where="nothing = 1"), FilterError),
        (HistoryRequest(sort="nothing"), FilterError),
    ],
)
def test_what_history_refuses(asked: Queries, request_: HistoryRequest, error: type[Exception]) -> None:
    with pytest.raises(error):
        asked.history(BEN, request_)


def test_names_are_those_known_at_the_position(asked: Queries, world: World) -> None:
    world.offer("model:odd", {"precision": {"type": "number", "default": 1}})
    world.catch_up()
    with pytest.raises(AmbiguousNameError):
        asked.history(BEN, HistoryRequest(where="precision > 0"))
    assert asked.history(BEN, HistoryRequest(where="precision > 0"), at=world.commits[-2])["experiments"]


def test_cursors_belong_to_query_client_and_version(asked: Queries, monkeypatch: pytest.MonkeyPatch) -> None:
    request = HistoryRequest(where="precision > 0", limit=1)
    cursor = asked.history(BEN, request)["next"]
    for viewer, other in ((ANA, request), (BEN, HistoryRequest(where="precision > 0.1", limit=1))):
        with pytest.raises(BadCursorError):
            asked.history(viewer, other, cursor)
    for changed in ("{}", "[]", "nonsense", json.dumps(json.loads(cursor) | {"version": 0})):
        with pytest.raises(BadCursorError):
            asked.history(BEN, request, changed)
    assert len(asked.history(BEN, request, cursor)["experiments"]) == 1


def test_a_position_not_reached_is_not_answered(asked: Queries, world: World) -> None:
    world.register("wine")
    with pytest.raises(NotReachedError) as refused:
        asked.catalog(BEN, at=world.commits[-1])
    facts = refused.value.facts
    assert (facts["reached"], facts["asked"], facts["head"]) == (
        world.commits[-2],
        world.commits[-1],
        world.commits[-1],
    )


def test_the_same_position_gives_the_same_bytes(asked: Queries, world: World) -> None:
    at = world.documents.position()
    request = HistoryRequest(where="precision > 0", sort="-precision")
    questions: tuple[Callable[[], Any], ...] = (
        lambda: asked.history(BEN, request, at=at),
        lambda: asked.show(BEN, A, at),
        lambda: asked.session(ANA, at=at),
        lambda: asked.catalog(BEN, at=at),
    )
    before = [json.dumps(question()) for question in questions]
    world.evaluate("ana", A, {"precision:macro": 0.1})
    world.decide("root", B, "withdraw", "wrong")
    world.discard("ana")
    world.offer("measure:recall", AVERAGE)
    wine = DatasetRef(name="wine", version=1, sha256="e" * 64)
    world.train("ben", "z" * 16, dataset=wine, model=ModelRef(name="tree", version="1", distribution="x"))
    world.catch_up()
    assert [json.dumps(question()) for question in questions] == before


def test_of_many_sessions_the_newest_are_listed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    queries = Queries(world.documents, world.history, world.feed, OpenSeal())
    assert queries.sessions(ANA) == {"sessions": [], "position": 0}
    for number in range(1, 8):
        world.train("ana", f"{number:x}".translate(str.maketrans("1234567", "abcdefg")) * 16)
        world.discard("ana")
        world.catch_up()
        assert [it["session"] for it in queries.sessions(ANA)["sessions"]] == [f"ana-{n}" for n in range(number, 0, -1)]
    monkeypatch.setattr("projections.session.MOST", 3)
    answer = queries.sessions(ANA)
    assert [it["session"] for it in answer["sessions"]] == ["ana-7", "ana-6", "ana-5"]
    assert "4 older ones are left out" in answer["note"]
    then = queries.sessions(ANA, world.commits[3])
    assert [it["session"] for it in then["sessions"]] == ["ana-2", "ana-1"]
    assert "note" not in then


def test_of_much_about_an_experiment_the_newest_is_shown(
    asked: Queries, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "note" not in asked.show(BEN, A)
    for number in range(5):
        world.decide("ana", A, "annotate", f"remark {number}", "because")
    for _ in range(10):
        world.evaluate("ana", A, {"precision:macro": 0.9})
    world.catch_up()
    monkeypatch.setattr("projections.newest.MOST", 3)
    shown = asked.show(BEN, A)
    assert [it["text"] for it in shown["annotations"]] == ["remark 2", "remark 3", "remark 4"]
    assert [it["evaluation"] for it in shown["evaluations"]] == [f"{A}-e{n}" for n in (9, 10, 11)]
    assert len(shown["events"]) == 3
    assert "8 evaluations, 2 annotations" in shown["note"]
