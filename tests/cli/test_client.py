"""The Remote Proxy: repeated calls, seals, positions, long tasks and streams."""

from __future__ import annotations

import json
import os
import stat
import threading
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from adapters.http.problems import Problem
from adapters.serving.limits import NO_ROOM, NOT_HTTP, TOO_SLOW, header_too_large, target_too_long
from autolearn.client import BackendClient
from autolearn.credentials import Credentials
from autolearn.errors import (
    NOT_REACHED,
    OUTCOME_RECORDED,
    InvalidInputError,
    NoAnswerError,
    ProblemError,
    UnprovenAnswerError,
    UnreachableError,
    WaitTimeoutError,
)
from autolearn.outgoing_call import FileBody
from autolearn.positions import Positions
from autolearn.protocol.headers import PROBLEM
from autolearn.retries import PAUSES, pauses
from autolearn.tasks import wait_for_end
from domain.errors import NotReachedError, OutcomeRecordedError
from tests.cli.examples import ID, training
from tests.cli.fake_backend import FakeBackend, Reply, problem

DOUBT = "Whether the command was carried out is not known"
DONE = Reply(training(), 201, {"AutoLearn-Position": "12", "AutoLearn-Head": "ab"})


def test_a_broken_call_is_repeated_with_its_request_id(backend: FakeBackend, client: BackendClient) -> None:
    backend.on("POST", "/trainings", Reply(broken=True), Reply(broken=True), DONE)
    assert client.post("trainings", body={"dataset": "iris"}).body == training()
    assert len(backend.seen) == 3
    assert len({it.request_id for it in backend.seen}) == 1
    assert all(it.body == {"dataset": "iris"} for it in backend.seen)


def test_it_gives_up_at_last(backend: FakeBackend, client: BackendClient) -> None:
    backend.on("POST", "/trainings", Reply(broken=True))
    with pytest.raises(UnreachableError, match=DOUBT):
        client.post("trainings")
    assert len(backend.seen) == 5


@pytest.mark.parametrize(
    ("method", "path", "is_doubtful"),
    [("POST", "trainings", True), ("GET", "session", False), ("POST", "rebuilds", False)],
)
def test_a_command_whose_backend_died_may_have_been_carried_out(
    backend: FakeBackend, client: BackendClient, method: str, path: str, is_doubtful: bool
) -> None:
    backend.on(method, f"/{path}", Reply(broken=True))
    dying = replace(client, pause=lambda _: backend.stop())
    with pytest.raises(UnreachableError, match="`autolearn up` starts one") as gone:
        list(dying.stream(method, path))
    assert (DOUBT in str(gone.value)) == is_doubtful
    with pytest.raises(UnreachableError) as before:  # this one was never sent
        dying.post("trainings")
    assert DOUBT not in str(before.value)


def test_a_command_whose_answer_is_too_late_may_have_been_carried_out(
    backend: FakeBackend, client: BackendClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autolearn.transport.ANSWER_SECONDS", 0.05)
    is_over = threading.Event()
    backend.on("POST", "/trainings", lambda _: Reply(broken=is_over.wait(30)))
    with pytest.raises(NoAnswerError, match=f"did not answer within .*{DOUBT}"):
        client.post("trainings")
    is_over.set()


@pytest.mark.parametrize("is_sealed", [True, False])
def test_a_refusal_says_what_a_relay_could_have_done_only_of_commands(
    backend: FakeBackend, client: BackendClient, *, is_sealed: bool
) -> None:
    refused = {"type": "not-authenticated", "detail": "The client is revoked.", "status": 401}
    reply = Reply(refused, 401) if is_sealed else Reply(status=401, raw=json.dumps(refused).encode(), media=PROBLEM)
    said = {}
    for path in ("trainings", "verifications", "rebuilds"):
        backend.on("POST", f"/{path}", reply)
        with pytest.raises(ProblemError) as refusal:
            client.post(path)
        said[path] = str(refusal.value)
    sentence = "The client is revoked." + ("" if is_sealed else " (This answer is not sealed.)")
    assert said["verifications"] == said["rebuilds"] == sentence
    assert (
        said["trainings"] == f"{sentence} If you do not trust the network, check that the command was not carried out."
    )


def test_pauses_are_bounded_and_differ() -> None:
    runs = [list(pauses()) for _ in range(100)]
    for nth, seconds in enumerate(PAUSES):
        assert all(0.5 * seconds <= run[nth] <= 1.5 * seconds for run in runs)
    assert len({tuple(run) for run in runs}) > 1
    assert {len(run) for run in runs} == {len(PAUSES)}


def test_slugs_that_the_client_acts_on_are_the_backends() -> None:
    assert (NotReachedError.slug, OutcomeRecordedError.slug) == (NOT_REACHED, OUTCOME_RECORDED)


def test_a_refused_connection_is_not_repeated(client: BackendClient) -> None:
    pauses: list[float] = []
    gone = replace(client, url="http://127.0.0.1:1", pause=pauses.append)
    with pytest.raises(UnreachableError, match="autolearn up"):
        gone.get("session")
    assert pauses == []


def test_an_outcome_that_is_recorded_is_asked_for_again(backend: FakeBackend, client: BackendClient) -> None:
    backend.on("POST", "/trainings", problem(503, "outcome-recorded", "Repeat."), DONE)
    assert client.post("trainings").body == training()
    first, second = backend.seen
    assert second.request_id != first.request_id, "a request that was answered is not sent again"
    assert second.headers["Idempotency-Key"] == first.request_id


def test_an_answer_to_another_call_is_refused(backend: FakeBackend, client: BackendClient) -> None:
    backend.on("GET", "/session", Reply({"session": "eva-1"}, sealed_for="another-request"))
    with pytest.raises(UnprovenAnswerError, match="sealed for another request"):
        client.get("session")


def test_an_answer_that_is_not_sealed_is_refused(backend: FakeBackend, client: BackendClient) -> None:
    backend.on("GET", "/session", Reply(raw=b"{}", media="application/json"))
    with pytest.raises(UnprovenAnswerError, match="no AutoLearn backend"):
        client.get("session")
    backend.on("GET", "/clients", Reply(raw=b"{}", media="application/json", headers={"AutoLearn-Position": "3"}))
    with pytest.raises(UnprovenAnswerError, match="not sealed"):
        client.get("clients")


def test_a_command_is_in_doubt_where_a_proxy_lost_the_head_of_its_answer(
    backend: FakeBackend, client: BackendClient
) -> None:
    backend.on("POST", "/trainings", Reply(raw=b"", media="text/plain"))
    with pytest.raises(UnprovenAnswerError, match=r"no AutoLearn backend .* is not known: look before"):
        client.post("trainings")


def test_what_is_open_needs_no_seal(backend: FakeBackend, client: BackendClient) -> None:
    backend.on("GET", "/health/live", Reply(raw=b'{"ok": true}', media="application/json"))
    assert client.get("health", "live").body == {"ok": True}


@pytest.mark.parametrize(
    "path",
    [
        ("catalog", "datasets", "metrics"),
        ("experiments", "docs"),
        ("experiments", "openapi.json"),
        ("clients", "health", "live"),
        ("services", "x", "y", "metrics"),
    ],
)
@pytest.mark.parametrize("status", [200, 404])
def test_a_name_that_looks_like_an_open_path_needs_a_seal(
    backend: FakeBackend, client: BackendClient, path: tuple[str, ...], status: int
) -> None:
    forged = b'{"name": "metrics", "detail": "Forged."}'
    backend.on("GET", "/" + "/".join(path), Reply(status=status, raw=forged, media="application/json"))
    with pytest.raises(UnprovenAnswerError):
        client.get(*path)


def test_a_service_behind_a_gateway_has_open_paths_too(backend: FakeBackend, client: BackendClient) -> None:
    backend.on("GET", "/services/storage/health/live", Reply(raw=b'{"ok": true}', media="application/json"))
    assert client.get("services", "storage", "health", "live").body == {"ok": True}


@pytest.mark.parametrize("position", ["9" * 19, "-1", "1e9", "\xb2", ""])
def test_an_absurd_position_is_none(backend: FakeBackend, client: BackendClient, home: Path, position: str) -> None:
    backend.on("POST", "/trainings", Reply(training(), 201, {"AutoLearn-Position": position, "AutoLearn-Head": "ab"}))
    client.post("trainings")
    assert not (home / "positions.json").exists()


def test_a_sealed_refusal_is_opened_and_a_plain_one_is_understood(backend: FakeBackend, client: BackendClient) -> None:
    backend.on("GET", "/session", problem(404, "not-found", "No session."))
    with pytest.raises(ProblemError, match="No session") as sealed:
        client.get("session")
    assert (sealed.value.status, sealed.value.slug) == (404, "not-found")
    plain = json.dumps({"type": "not-authenticated", "detail": "Who?"}).encode()
    backend.on("GET", "/clients", Reply(status=401, raw=plain, media="application/problem+json"))
    with pytest.raises(ProblemError, match="Who"):
        client.get("clients")


@pytest.mark.parametrize(
    "refused", [NOT_HTTP, TOO_SLOW, NO_ROOM, target_too_long(1), header_too_large("It is long", 1)]
)
def test_what_a_connection_is_refused_for_is_understood(
    backend: FakeBackend, client: BackendClient, refused: Problem
) -> None:
    backend.on("GET", "/clients", Reply(status=refused.status, raw=refused.body, media=PROBLEM))
    with pytest.raises(ProblemError) as refusal:
        client.get("clients")
    assert (refusal.value.status, refusal.value.slug) == (refused.status, refused.slug)


def test_names_cannot_leave_their_place_in_the_path(backend: FakeBackend, client: BackendClient) -> None:
    backend.on("GET", "/experiments/..%5Cclients%3Fx", Reply({}))
    assert client.get("experiments", "..\\clients?x").status == 200
    for name in ("../clients", "..", ".", "x/y", "/"):
        with pytest.raises(ProblemError, match="There is no experiment"):
            client.get("experiments", name)
    assert len(backend.seen) == 1


def test_a_client_sees_its_own_writes(backend: FakeBackend, client: BackendClient, home: Path) -> None:
    backend.on("POST", "/trainings", DONE)
    backend.on("GET", "/session", Reply({}, headers={"AutoLearn-Position": "99"}))
    client.get("session")
    assert backend.seen[-1].query == {}, "a query's position is not a write of ours"
    client.post("trainings")
    client.get("session", session=None)
    assert backend.seen[-1].query == {"after_position": "12"}
    assert str(12) in (home / "positions.json").read_text()


def test_a_log_that_went_back_is_explained(backend: FakeBackend, client: BackendClient) -> None:
    client.positions.advance(12)
    backend.on("GET", "/session", problem(503, "position-not-reached", "The log ends at 5.", reached=5, head=5))
    with pytest.raises(ProblemError, match=r"ends at 5\. Was it restored .*positions\.json") as late:
        client.get("session")
    assert late.value.status == 503


def test_how_old_an_answer_is(backend: FakeBackend, client: BackendClient) -> None:
    told = list[str]()
    client = replace(client, tell=told.append)
    values = ("4831/802019; seconds=1040", "7/12", "7/12; seconds=", "x")
    backend.on("GET", "/session", *(Reply({}, headers={"AutoLearn-Lag": value}) for value in values), Reply({}))
    assert [client.get("session").lag for _ in range(5)] == [*told, "", "", ""]
    assert told == ["as of position 4,831 of 802,019, 1,040 s to go", "as of position 7 of 12"]


def test_read_models_that_lag_are_no_restored_log(backend: FakeBackend, client: BackendClient) -> None:
    client.positions.advance(12)
    backend.on("GET", "/session", problem(503, "position-not-reached", "They are at 5.", reached=5, head=12))
    with pytest.raises(ProblemError, match=r"They are at 5\. They catch up; .*/health/ready"):
        client.get("session")


def test_positions_never_go_back_and_belong_to_one_key(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    mine = Positions.of(file, "http://a", "ana", b"key 1")
    mine.advance(7)
    mine.advance(5)
    assert mine.last() == 7
    assert Positions.of(file, "http://b", "ana", b"key 1").last() == 0
    assert Positions.of(file, "http://a", "ana", b"key 2").last() == 0
    assert not list(tmp_path.glob("*.new"))


def test_the_file_of_positions_is_its_owners_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Positions.of(tmp_path / "credentials.json", "http://a", "ana", b"key").advance(3)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "positions.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "[]", "no JSON", "[" * 100_000, '{"http://a ana 0": "seven"}'])
def test_a_spoilt_positions_file_is_no_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "positions.json").write_text(content)
    positions = Positions.of(tmp_path / "credentials.json", "http://a", "ana", b"key")
    assert positions.last() == 0
    positions.advance(3)
    assert positions.last() == 3


def test_a_fifo_in_the_place_of_positions_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "positions.json")
    positions = Positions.of(tmp_path / "credentials.json", "http://a", "ana", b"key")
    assert positions.last() == 0
    positions.advance(3)
    assert positions.last() == 3


def test_a_place_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    positions = Positions.of(tmp_path / "none" / "credentials.json", "http://a", "ana", b"key")
    positions.advance(3)
    assert positions.last() == 0


def test_a_task_is_followed_to_its_end(backend: FakeBackend, client: BackendClient) -> None:
    started = Reply(training(state="started"))
    backend.on("GET", f"/trainings/{ID}", started, started, Reply(training()))
    pauses: list[float] = []
    body = wait_for_end(replace(client, pause=pauses.append), ("trainings", ID))
    assert body == training()
    assert pauses == sorted(pauses)
    assert len(pauses) == 2


def test_a_long_task_is_asked_for_less_and_less_often(backend: FakeBackend, client: BackendClient) -> None:
    """Each look is in the audit log: a training of six minutes left 350 records there."""
    backend.on("GET", f"/trainings/{ID}", Reply(training(state="started")))
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if sum(pauses) > 3600:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wait_for_end(replace(client, pause=pause), ("trainings", ID))
    assert len(pauses) < 450
    assert max(pauses) == 15.0
    assert all(it <= max(1.0, sum(pauses[:at]) / 60 + 1e-9) for at, it in enumerate(pauses))


def test_following_ends_at_its_time(backend: FakeBackend, client: BackendClient) -> None:
    backend.on("GET", f"/trainings/{ID}", Reply(training(state="requested")))
    seconds = count()
    with pytest.raises(WaitTimeoutError):
        wait_for_end(client, ("trainings", ID), 2, clock=lambda: float(next(seconds)))


def test_a_stream_is_opened_event_by_event(backend: FakeBackend, client: BackendClient) -> None:
    events = [("progress", {"progress": 0.5, "what": "chain"}), ("result", {"ok": True})]
    backend.on("POST", "/verifications", Reply(events=events))
    assert [(it.name, it.data) for it in client.stream("POST", "verifications", body={"anchor": None})] == events
    assert backend.seen[-1].body == {"anchor": None}


def test_a_stream_with_a_missing_event_is_refused(backend: FakeBackend, client: BackendClient) -> None:
    backend.on("POST", "/verifications", Reply(events=[("result", {"ok": True})], first_number=2))
    with pytest.raises(UnprovenAnswerError, match="Event 1"):
        list(client.stream("POST", "verifications"))


def test_an_answer_in_one_piece_is_a_stream_of_one(backend: FakeBackend, client: BackendClient) -> None:
    backend.on("GET", "/replay", Reply({"position": 3}))
    assert [(it.name, it.data) for it in client.stream("GET", "replay")] == [("result", {"position": 3})]


def test_a_refused_upload_is_understood_though_it_was_not_read(
    backend: FakeBackend, client: BackendClient, tmp_path: Path
) -> None:
    file = tmp_path / "large.csv"
    file.write_bytes(b"x" * 100)
    backend.on("POST", "/catalog/datasets", problem(413, "too-large", "At most 1 GiB."))
    with pytest.raises(ProblemError, match="1 GiB"):
        client.upload("catalog", "datasets", file=file, name="large")
    assert backend.seen[0].body == b"x" * 100


def test_credentials_show_no_key(credentials: Credentials, client: BackendClient) -> None:
    assert credentials.key.decode() not in repr(client)


def test_a_pipe_is_no_file_to_send(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "rows.csv")
    with pytest.raises(InvalidInputError, match="not a plain file"):
        FileBody.of(tmp_path / "rows.csv")
