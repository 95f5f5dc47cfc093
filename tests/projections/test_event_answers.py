"""`events`: whole facts in order, what each changed in its stream's document, who may see them, page by page."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest

from adapters.embedded.database import Database
from adapters.embedded.read_models.database import ReadDatabase
from commands.unit_of_work import load
from domain.client import Client
from domain.errors import AmbiguousIdError, BadInputError, ForbiddenError, NotFoundError
from projections import event_answers
from projections.event_answers import EventRequest
from projections.ports import AuditLog
from projections.queries import Queries
from projections.stream_changes import EVOLVE, LEFT_OUT
from projections.stream_replay import document_of
from projections.visibility import Viewer
from tests.projections.seal import OpenSeal
from tests.projections.test_projection_versions import live
from tests.projections.world import World

ANA, BEN, ROOT = Viewer("ana", ("analyst",)), Viewer("ben", ("analyst",)), Viewer("root", ("sys-admin",))
A, B, C, D = "a" * 16, "b" * 16, "c" * 16, "d" * 16
NOT_ASKED = cast("AuditLog", None)  # only a correlation needs it


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Some of everything that happens."""
    folder: Path = tmp_path_factory.mktemp("events")
    world = World(Database(folder / "events.db"), ReadDatabase(folder / "read.db"))
    live(world)
    client = load(world.store, Client, "client:ana")
    client.add(["analyst"])
    world.append("root", client)
    world.catch_up()
    return world


@pytest.fixture
def asked(world: World) -> Queries:
    return Queries(world.documents, world.history, world.feed, OpenSeal())


def ask(asked: Queries, viewer: Viewer, at: int | None = None, **request: Any) -> dict[str, Any]:
    return asked.events(viewer, EventRequest(**request), NOT_ASKED, at)


def positions(answer: dict[str, Any]) -> list[int]:
    return [event["position"] for event in answer["events"]]


def streams(world: World) -> list[str]:
    return sorted({one.event.originator_id for one in world.feed.after(0, 10_000)})


def test_the_whole_log_with_all_facts(world: World, asked: Queries) -> None:
    found = ask(asked, ROOT, limit=500)
    recorded = world.feed.after(0, 10_000)
    assert positions(found) == [one.position for one in recorded]
    assert found["next"] is None
    for event, one in zip(found["events"], recorded, strict=True):
        assert (event["commit"], event["at"], event["stream"]) == (
            one.commit,
            one.at.isoformat(),
            one.event.originator_id,
        )
        assert (event["actor"], event["correlation"]) == (one.event.metadata.actor, one.event.metadata.correlation)
        assert f"{event['type']}.v" in one.event.NAME
        assert {*event["facts"]} == {*type(one.event).model_fields} - event_answers.NOT_FACTS
        assert event["reason"] == event["facts"].get("reason")
        assert "changed" not in event


def test_what_changed_adds_up_to_the_document(world: World, asked: Queries) -> None:
    """As of every event: what its stream changed up to there is what the read models say of it."""
    for stream in streams(world):
        kind = stream.partition(":")[0]
        if kind not in EVOLVE:
            continue
        document: dict[str, Any] = {}
        events = ask(asked, ROOT, stream=stream, limit=500)["events"]
        for event, following in pairwise([*events, None]):
            for name, (old, new) in event["changed"].items():
                assert document.get(name) == old, (stream, name)
                document[name] = new
            if following is None or following["commit"] > event["commit"]:
                stored = world.documents.get(*document_of(stream), event["commit"])
                assert stored is not None
                left_out = LEFT_OUT.get(kind, set())
                told = {name: value for name, value in stored.body.items() if name not in left_out}
                assert {name: document.get(name) for name in told} == told, (stream, event["position"])


def test_what_the_read_models_keep_for_themselves_is_no_change(asked: Queries) -> None:
    events = ask(asked, ROOT, stream=f"experiment:{B}")["events"]
    changed = {name for event in events for name in event["changed"]}
    assert "state" in changed
    assert not changed & LEFT_OUT["experiment"]
    assert not LEFT_OUT["experiment"] & {*asked.show(ROOT, B)}


def test_a_client_has_no_document_and_yet_changes(asked: Queries) -> None:
    (added,) = ask(asked, ROOT, stream="client:ana")["events"]
    assert added["changed"] == {"roles": [None, ["analyst"]], "generation": [None, 1], "revoked": [None, False]}


@pytest.mark.parametrize("newest", [False, True])
@pytest.mark.parametrize("stream", [None, f"experiment:{B}", "session:ana:1"])
@pytest.mark.parametrize("limit", [1, 3, 7, 500])
def test_pages_follow_each_other(asked: Queries, newest: bool, stream: str | None, limit: int) -> None:
    whole = positions(ask(asked, ROOT, stream=stream, newest=newest, limit=500))
    assert whole == sorted(whole, reverse=newest)
    seen: list[int] = []
    place: int | None = None
    while True:
        from_here = {} if place is None else {"before" if newest else "after": place}
        page = ask(asked, ROOT, stream=stream, newest=newest, limit=limit, **from_here)
        seen += positions(page)
        place = page["next"]
        if place is None:
            break
    assert seen == whole


def test_between_positions_and_as_of(world: World, asked: Queries) -> None:
    whole = positions(ask(asked, ROOT, limit=500))
    for after, before in ((3, 9), (0, 1), (9, 3), (5, 7)):
        expected = [position for position in whole if after < position < before]
        for newest in (False, True):
            page = ask(asked, ROOT, after=after, before=before, newest=newest)
            assert positions(page) == (expected[::-1] if newest else expected)
            assert page["next"] is None
    at = world.commits[12]
    assert positions(ask(asked, ROOT, at, limit=500)) == [it for it in whole if it <= at]
    assert max(positions(ask(asked, ROOT, at, stream=f"experiment:{A}"))) <= at


def test_a_page_ends_early_before_it_grows_too_large(asked: Queries, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_answers, "MOST_CHARACTERS", 1)
    page = ask(asked, ROOT, limit=5, after=2)
    assert (positions(page), page["next"]) == ([3], 3)


def test_names_of_streams(asked: Queries) -> None:
    for given, whole in (
        ("aaaa", f"experiment:{A}"),
        ("experiment:aaaaaa", f"experiment:{A}"),
        ("search:ssss", f"search:{'s' * 16}"),
        ("session:ana-1", "session:ana:1"),
        ("dataset:iris", "dataset:iris"),
        ("model:svm", "model:svm"),
        ("prediction:pppp", f"prediction:{'p' * 16}"),
    ):
        assert ask(asked, ROOT, stream=given)["stream"] == whole
        assert {event["stream"] for event in ask(asked, ROOT, stream=given)["events"]} == {whole}


def test_an_analyst_sees_what_is_committed_and_what_is_its_own(asked: Queries) -> None:
    for stream in (A, B, "dataset:iris", "model:svm", "measure:precision", "session:ana:1", "prediction:pppp"):
        assert ask(asked, ANA, stream=stream)["events"]
    for stream in (A, "dataset:iris", "prediction:pppp"):
        assert ask(asked, BEN, stream=stream)["events"], "of others, but committed"
    for stream in (C, f"search:{'u' * 16}", "session:ana:1", "session:ana-1"):
        with pytest.raises(NotFoundError):
            ask(asked, BEN, stream=stream)
        assert ask(asked, ROOT, stream=stream)["events"], "sys-admins see the whole log"


def test_today_says_who_may_see_the_past(world: World, asked: Queries) -> None:
    before = next(it.position for it in world.feed.of_stream(f"experiment:{A}", 10_000))
    before = world.feed.commit_at(before + 10).position
    assert world.feed.of_stream(f"experiment:{A}", before)
    assert ask(asked, BEN, before, stream=A)["events"], "it was not committed then, but is today"


@pytest.mark.parametrize("request_", [{}, {"correlation": "call-1"}, {"stream": A, "correlation": "call-1"}])
def test_the_whole_log_is_for_sys_admins(asked: Queries, request_: dict[str, Any]) -> None:
    with pytest.raises(ForbiddenError, match="sys-admins"):
        ask(asked, ANA, **request_)


@pytest.mark.parametrize("stream", ["client:ana", "client:nobody", "installation:losses"])
def test_clients_are_for_sys_admins(asked: Queries, stream: str) -> None:
    with pytest.raises(ForbiddenError):
        ask(asked, ANA, stream=stream)


def test_one_call_within_a_stream(asked: Queries) -> None:
    whole = ask(asked, ROOT, stream=A)["events"]
    correlation = whole[-1]["correlation"]
    found = ask(asked, ROOT, stream=A, correlation=correlation)["events"]
    assert found == [event for event in whole if event["correlation"] == correlation]


@pytest.mark.parametrize(
    ("stream", "error"),
    [
        ("zzzz", NotFoundError), ("aaa", BadInputError), ("", BadInputError), ("experiment:", BadInputError),
        (":", NotFoundError), ("datasets:iris", NotFoundError), ("dataset:irish", NotFoundError),
        ("session:ana", NotFoundError), ("session:ana-9", NotFoundError), ("session:", NotFoundError),
        ("client:nobody", NotFoundError), ("client:", NotFoundError), ("installation:losses", NotFoundError),
        ("experiment:aaaa%", NotFoundError), ("search:\0\0\0\0", NotFoundError), ("dataset:\0", NotFoundError),
    ],
)  # fmt: skip
def test_what_is_no_stream(asked: Queries, stream: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        ask(asked, ROOT, stream=stream)


def test_what_is_near(asked: Queries) -> None:
    with pytest.raises(NotFoundError, match="Nearest: iris"):
        ask(asked, ANA, stream="dataset:irish")
    with pytest.raises(NotFoundError, match="KIND:NAME"):
        ask(asked, ANA, stream="datasets:iris")


def test_a_prefix_of_several(world: World, asked: Queries) -> None:
    for last in "xy":
        world.request("ben", f"qqqq{last * 12}")
    world.catch_up()
    with pytest.raises(AmbiguousIdError):
        ask(asked, ROOT, stream="qqqq")
