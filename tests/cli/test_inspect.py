"""Inspections on a data directory, the process they run in, and how a backend opens read models."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from adapters.embedded.read_models.generations import served_faults
from commands.cancellation import Cancellation
from commands.ports import AppendHeader
from commands.unit_of_work import load
from domain.dataset import Dataset
from domain.errors import BadInputError, ConflictError, NotAbleError, NotFoundError, NotReachedError
from domain.events import Metadata
from projections.fold import VERSIONS
from projections.ports import Batch
from projections.runner import ProjectionRunner
from server.compose.embedded import EmbeddedStores, let_serve, open_stores
from server.compose.stores import Stores, environment
from server.inspection.inspections import inspect_offline
from server.inspection.process import ProcessInspector
from server.settings import Settings, read_settings
from tests.projections.world import content

FILE = {"result": {"position": 3, "file": "read-models-2.db"}}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("os.nice", lambda _: None)  # the tests after this one want to go on as before
    monkeypatch.setattr("gc.set_threshold", lambda *_: None)
    return read_settings(data=tmp_path)


def opened(settings: Settings, within: ExitStack) -> EmbeddedStores:
    """Open the stores as a backend does, with two data sets in them."""
    stores = open_stores(settings, "here", within)
    let_serve(settings, stores)
    for name in ("iris", "wine"):
        dataset = load(stores.store, Dataset, f"dataset:{name}")
        dataset.register(content())
        events: Any = dataset.collect_events()
        stores.store.append(list(events), AppendHeader(uuid4(), uuid4(), Metadata()))
    return stores


def folded(stores: Stores) -> int:
    runner = ProjectionRunner(stores.feed, stores.documents)
    while runner.step():
        pass
    return runner.position


@pytest.fixture
def stores(settings: Settings) -> Iterator[Stores]:
    with ExitStack() as within:
        yield opened(settings, within)


def result(settings: Settings, kind: str, **arguments: Any) -> dict[str, Any]:
    *_, last = inspect_offline(kind, str(settings.data), arguments)
    return dict(last["result"])


def test_replay_waits_for_the_read_models_and_says_so(
    settings: Settings, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.inspection.inspections.CATCH_UP_SECONDS", 0.0)
    with pytest.raises(NotReachedError) as late:
        result(settings, "replay")
    assert late.value.facts == {"reached": 0}
    folded(stores)
    assert result(settings, "replay")["matches_read_models"] is True


def test_verify_ends_where_it_is_asked_to(settings: Settings, stores: Stores) -> None:
    head = folded(stores)
    first = stores.feed.raw_after(0, 1)[0]
    assert result(settings, "verify")["position"] == head
    assert result(settings, "verify", until=f"{first.position}:{first.hash.hex()}")["head"] == first.hash.hex()
    assert result(settings, "verify", until=f"0:{'0' * 64}")["position"] == 0
    with pytest.raises(BadInputError):
        result(settings, "verify", anchor=f"0:{'0' * 64}")


def test_rebuild_says_what_it_rebuilt(settings: Settings, stores: Stores) -> None:
    head = folded(stores)
    for projection, rebuilt in ((None, list(VERSIONS)), ("history", ["history"])):
        answer = result(settings, "rebuild", projection=projection)
        assert (answer["rebuilt"], answer["position"]) == (rebuilt, head)
    with pytest.raises(NotFoundError) as unknown:
        result(settings, "rebuild", projection="sesion")
    assert unknown.value.facts == {"nearest": ["session"]}


def test_read_models_ahead_of_the_log_are_left_when_a_backend_opens(settings: Settings) -> None:
    with ExitStack() as within:
        stores = opened(settings, within)
        head = folded(stores)
        stores.documents.apply(Batch(head + 50))
    with ExitStack() as within:
        again = open_stores(settings, "here", within)
        let_serve(settings, again)
        assert again.documents.position() == 0
        assert folded(again) == head
    with ExitStack() as within:
        assert open_stores(settings, "here", within).documents.position() == head
    assert len(list(settings.data.glob("read-models-*.db"))) == 1


def test_verify_tells_what_only_the_serving_process_sees(settings: Settings) -> None:
    with ExitStack() as within:
        stores = opened(settings, within)
        folded(stores)
        serving, pointer = Path(stores.read.path), settings.data / "read-models.current"
        assert served_faults(settings.data, stores.read) == []
        pointer.write_text("read-models-7.db")
        assert "does not name read-models-1.db, which is served" in served_faults(settings.data, stores.read)[0]
        pointer.write_text(serving.name)
        copy = serving.with_name("copy")
        copy.write_bytes(serving.read_bytes())
        copy.replace(serving)
        (found,) = served_faults(settings.data, stores.read)
        assert "read-models-1.db was removed or replaced" in found
        *_, last = ProcessInspector(environment(settings), lambda _: Future(), lambda: [found]).run("verify", {})
        assert last["result"]["ok"] is False
        assert {"position": None, "what": found} in last["result"]["faults"]


class Inspector(ProcessInspector):
    """One whose process says what a test prepared."""

    def __init__(self, adopted: Future[None]) -> None:
        super().__init__({}, lambda _: adopted)

    def _steps(self, kind: str, arguments: dict[str, Any], cancellation: Cancellation) -> Iterator[dict[str, Any]]:
        yield {"progress": 0.5, "what": kind}
        yield {"result": dict(FILE["result"])}


def test_one_rebuild_at_a_time() -> None:
    adopted: Future[None] = Future()
    adopted.set_result(None)
    inspector = Inspector(adopted)
    running = inspector.run("rebuild", {})
    next(running)
    with pytest.raises(ConflictError, match="runs already"):
        next(inspector.run("rebuild", {}))
    assert [*inspector.run("verify", {})][-1] == FILE
    assert list(running) == [{"result": {"position": 3}}]
    left = inspector.run("rebuild", {})
    next(left)
    del left
    assert next(inspector.run("rebuild", {})) == {"progress": 0.5, "what": "rebuild"}


def test_a_stop_ends_all_and_lets_none_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    lasting = "import time; print('{\"progress\": 0}', flush=True); time.sleep(1000)"
    monkeypatch.setattr("server.inspection.process.python_command", lambda *_: [sys.executable, "-c", lasting])
    inspector = ProcessInspector({}, lambda _: Future())
    running = inspector.run("verify", {})
    assert next(running) == {"progress": 0}
    inspector.end_all()
    for steps in (running, inspector.run("verify", {})):
        with pytest.raises(NotAbleError, match="is stopping"):
            next(steps)


def test_a_rebuild_that_is_never_adopted_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.inspection.process.ADOPT_SECONDS", 0.01)
    adopted: Future[None] = Future()
    with pytest.raises(NotAbleError, match="did not begin to serve"):
        list(Inspector(adopted).run("rebuild", {}))
    assert adopted.cancelled()


def test_there_is_no_kafka_to_verify_against_in_the_embedded_mode(settings: Settings, stores: Stores) -> None:
    folded(stores)
    with pytest.raises(BadInputError, match="no Kafka"):
        result(settings, "verify", against="kafka")


def test_a_folder_that_is_no_data_directory_is_bad_input_and_no_fault(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("of the user")
    with pytest.raises(BadInputError, match="is not a data directory of AutoLearn"):
        next(inspect_offline("verify", str(tmp_path), {}))
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
