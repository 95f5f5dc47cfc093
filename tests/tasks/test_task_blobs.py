"""Tasks whose blobs are on another machine: their process brings and stores these, they are as confined as others."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from adapters.files.blob_cache import BlobCache
from adapters.files.remote_blobs import RemoteBlobs, TaskBlobs
from adapters.tasks import landlock, seccomp
from adapters.tasks.confinement import Confinement
from adapters.tasks.launcher import ProcessLauncher
from adapters.tasks.running import Limits
from commands.ports import TaskBroken, TaskDone, TaskOutcome, TaskSpec
from domain.errors import NotAbleError

pytestmark = pytest.mark.slow
AWAY = "The store of blobs does not answer now: ask again later."
IRIS = TaskSpec("ingest", {"builtin": "iris", "target": "species"})
SECONDS = 60.0


class Store:
    """Makes the blobs of each task; while `away` is set they can be neither brought nor stored."""

    def __init__(self, blobs: RemoteBlobs) -> None:
        self.blobs = blobs
        self.away, self.asked = Event(), Event()

    def __call__(self, folder: Path) -> OutagedBlobs:
        return OutagedBlobs(self, folder)


class OutagedBlobs(TaskBlobs):
    def __init__(self, store: Store, folder: Path) -> None:
        super().__init__(store.blobs, folder)
        self._store = store

    def provide(self, facts: Mapping[str, Any], stop: Event) -> None:
        if self._store.away.is_set() and facts.get("dataset"):
            raise NotAbleError(AWAY)
        super().provide(facts, stop)

    def store_new(self, stop: Event) -> None:
        if self._store.away.is_set():
            self._store.asked.set()
            raise NotAbleError(AWAY)
        super().store_new(stop)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="module")
def store(folder: Path) -> Store:
    (folder / "cache").mkdir()
    return Store(RemoteBlobs(f"memory://{folder}", str(folder / "own"), BlobCache(folder / "cache", 1 << 20)))


@pytest.fixture(scope="module")
def launcher(folder: Path, store: Store) -> Iterator[ProcessLauncher]:
    scope: dict[str, Any] = {}
    source = Path(__file__).with_name("prying_plugin.py").read_text()
    exec(compile(source, "prying_plugin.py", "exec"), scope)  # noqa: S102 - tests are not importable by name here
    scope["install"](folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        patch.syspath_prepend(str(folder))
        limits = Limits(deadline=3600, memory=4 << 30)
        made = ProcessLauncher(
            store, str(folder / "scratch"), 1, limits, confinement=Confinement("auto", (str(folder / "cache"),))
        )
        made.prepare()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def comes_back(store: Store) -> Iterator[None]:
    """The store answers at the end of each test."""
    yield
    store.away.clear()
    store.asked.clear()


@pytest.fixture(scope="module")
def iris(launcher: ProcessLauncher, store: Store) -> str:
    stored = launcher.start(IRIS).result()
    assert isinstance(stored, TaskDone), stored
    sha256 = str(stored.facts["blob"]["sha256"])
    assert store.blobs.check(sha256) is None
    return sha256


def test_what_a_task_made_is_stored_and_nothing_else_is_left(
    run: Callable[[str], TaskOutcome], store: Store, folder: Path
) -> None:
    done = run("pass")
    assert isinstance(done, TaskDone), done
    for name in ("model_blob", "learned_blob"):
        assert store.blobs.check(done.facts[name]["sha256"]) is None
    assert list((folder / "scratch").iterdir()) == []
    assert list((folder / "own").iterdir()) == []


@pytest.mark.skipif(
    landlock.abi() < landlock.SCOPES_SINCE or platform.machine() not in seccomp.MACHINES,
    reason="this kernel has no Landlock with scopes (Linux 6.12), or this machine no filter",
)
@pytest.mark.parametrize(
    "code",
    [
        "socket.socket()",
        "os.listdir('{folder}/cache')",
        "blob = next(Path('../blobs').glob('*/*/*')); os.chmod(blob, 0o600)",
        "blob = next(Path('../blobs').glob('*/*/*')); open(blob, 'a')",
        "blob = next(Path('../blobs').glob('*/*/*')); blob.unlink()",
        "blob = next(Path('../blobs').glob('*/*/*')); os.fchmod(os.open(blob, os.O_RDONLY), 0o600); open(blob, 'r+b')",
    ],
)
def test_a_task_reaches_neither_the_store_nor_the_cache_nor_changes_what_it_was_given(
    run: Callable[[str], TaskOutcome], folder: Path, code: str
) -> None:
    outcome = run("from pathlib import Path\n" + code.format(folder=folder))
    assert isinstance(outcome, TaskBroken)
    assert "PermissionError" in outcome.detail, outcome


def test_a_task_sees_no_blob_but_its_own(run: Callable[[str], TaskOutcome], iris: str) -> None:
    code = "from pathlib import Path\ntold = repr([it.name for it in Path('../blobs').glob('*/*/*')])"
    assert f"['{iris}']" in getattr(run(code), "detail", "")


def test_what_cannot_be_stored_is_stored_when_the_store_is_back(launcher: ProcessLauncher, store: Store) -> None:
    store.away.set()
    task, outcomes = launcher.start(IRIS), list[TaskOutcome]()
    waiting = Thread(target=lambda: outcomes.append(task.result()))
    waiting.start()
    assert store.asked.wait(SECONDS)
    store.away.clear()
    waiting.join(SECONDS)
    assert isinstance(outcomes[0], TaskDone), outcomes


def test_a_task_that_waits_for_the_store_can_be_cancelled(launcher: ProcessLauncher, store: Store) -> None:
    store.away.set()
    task, outcomes = launcher.start(IRIS), list[TaskOutcome]()
    waiting = Thread(target=lambda: outcomes.append(task.result()))
    waiting.start()
    assert store.asked.wait(SECONDS)
    task.cancel()
    waiting.join(SECONDS)
    assert isinstance(outcomes[0], TaskBroken)
    assert outcomes[0].reason == "cancelled"


def test_a_caller_who_waits_is_told(launcher: ProcessLauncher, store: Store) -> None:
    store.away.set()
    spec = TaskSpec(IRIS.kind, IRIS.facts, in_call=True)
    assert launcher.start(spec).result() == TaskBroken("error", AWAY)


def test_a_task_whose_blobs_cannot_be_had_is_not_started(launcher: ProcessLauncher, store: Store, folder: Path) -> None:
    store.away.set()
    with pytest.raises(NotAbleError, match="does not answer now"):
        launcher.start(TaskSpec("fit", {"dataset": {"sha256": "0" * 64}}))
    assert list((folder / "scratch").iterdir()) == []
