"""Blobs in an object store: few requests, an outage told from a missing blob, and a bounded cache."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event as Signal

import pytest

from adapters.files import remote_files
from adapters.files.blob_cache import BlobCache
from adapters.files.blobs import path_of
from adapters.files.remote_blobs import RemoteBlobs, TaskBlobs
from adapters.files.store_check import MARKER
from commands.ports import BlobMissing
from domain.errors import BadInputError, ForbiddenError, NotAbleError
from tests.servers.fixtures import own, point_to
from tests.servers.s3 import BUCKET, Proxy, S3Server

SECONDS = 60.0
MIB = 1 << 20


def make(folder: Path, url: str = f"s3://{BUCKET}/kept", limit: int = MIB) -> RemoteBlobs:
    return RemoteBlobs(url, str(folder / "scratch"), BlobCache(folder / "cache", limit))


def put(blobs: RemoteBlobs, content: bytes) -> str:
    path = Path(blobs.scratch(".bin"))
    path.write_bytes(content)
    return blobs.put_file(str(path)).sha256


def await_fault(blobs: RemoteBlobs, *, gone: bool) -> None:
    until = time.monotonic() + SECONDS
    while (blobs.fault is None) != gone:
        assert time.monotonic() < until
        Signal().wait(0.05)


@pytest.fixture
def proxy(s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A way to the S3 that can be cut."""
    proxy = Proxy(tmp_path / "proxy", s3_server)
    proxy.start()
    point_to(proxy, monkeypatch)
    yield proxy
    proxy.kill()


def test_one_request_stores_a_blob_and_one_loads_it(s3: S3Server, tmp_path: Path) -> None:
    blobs, other = make(tmp_path / "here", limit=8 * MIB), make(tmp_path / "elsewhere")
    for content in (b"few", bytes(3 * MIB)):
        before = len(s3.requests)
        sha256 = put(blobs, content)
        blobs.open(sha256).close()  # from the cache
        assert s3.requests[before:] == [f"PUT /{BUCKET}/kept/{path_of(sha256)}"]
        with other.open(sha256) as file:
            assert file.read() == content
        assert s3.requests[before + 1 :] == [f"GET /{BUCKET}/kept/{path_of(sha256)}"]


def test_the_store_is_checked_in_two_requests_and_answers_need_none(s3: S3Server, tmp_path: Path) -> None:
    blobs, before = make(tmp_path), len(s3.requests)
    blobs.check_usable()
    assert [blobs.fault for _ in range(5)] == [None] * 5
    assert s3.requests[before:] == [f"PUT /{BUCKET}/kept/{MARKER}", f"GET /{BUCKET}/kept/{MARKER}"]


def test_a_missing_bucket_is_bad_input_at_the_start_and_an_outage_later(s3: S3Server, tmp_path: Path) -> None:
    blobs = make(tmp_path, "s3://nowhere/kept")
    with pytest.raises(BadInputError, match="AUTOLEARN_BLOBS=s3://nowhere/kept does not exist"):
        blobs.check_usable()
    with pytest.raises(NotAbleError) as outage:
        make(tmp_path, "s3://nowhere/kept").open("0" * 64)
    assert "nowhere" not in outage.value.sentence
    assert "nowhere" not in str(blobs.fault)


def test_wrong_keys_are_refused_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with own(lambda folder: S3Server(folder, checks_keys=True), tmp_path / "s3") as server:
        point_to(server, monkeypatch)
        with pytest.raises(ForbiddenError, match="refuses this process's keys"):
            make(tmp_path).check_usable()
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        with pytest.raises(ForbiddenError, match="refuses this process's keys"):
            make(tmp_path).check_usable()


def test_a_missing_blob_is_told_from_a_store_that_is_away(proxy: Proxy, tmp_path: Path) -> None:
    blobs = make(tmp_path, limit=0)
    sha256 = put(blobs, b"kept")
    assert blobs.check(sha256) is None
    assert blobs.check("0" * 64) == "it is missing"
    proxy.kill()
    for _ in range(2):
        with pytest.raises(NotAbleError, match="does not answer now"):
            blobs.check(sha256)
    assert "does not answer" in str(blobs.fault)
    proxy.start()
    await_fault(blobs, gone=True)
    assert blobs.check(sha256) is None


def test_a_silent_store_is_given_up_and_others_are_refused_at_once(
    proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = make(tmp_path)
    sha256 = put(blobs, b"kept")
    proxy.freeze()
    with monkeypatch.context() as patch:
        patch.setattr(remote_files, "SILENCE_SECONDS", 1.0)
        with pytest.raises(NotAbleError):
            blobs.check(sha256)
    begun = time.process_time()
    for _ in range(100):
        with pytest.raises(NotAbleError):
            blobs.check(sha256)
    assert time.process_time() - begun < 1
    proxy.thaw()
    await_fault(blobs, gone=True)
    assert blobs.check(sha256) is None


def test_a_slow_store_is_waited_for(s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Proxy(tmp_path / "proxy", s3_server, delay=0.5)
    proxy.start()
    try:
        point_to(proxy, monkeypatch)
        blobs = make(tmp_path)
        sha256 = put(blobs, b"slowly")
        assert blobs.check(sha256) is None
        assert blobs.fault is None
    finally:
        proxy.kill()


def test_what_cannot_be_stored_stays_where_it_was_and_is_stored_later(proxy: Proxy, tmp_path: Path) -> None:
    blobs = make(tmp_path)
    proxy.kill()
    path = Path(blobs.scratch(".bin"))
    path.write_bytes(b"made meanwhile")
    with pytest.raises(NotAbleError):
        blobs.put_file(str(path))
    assert path.read_bytes() == b"made meanwhile"
    proxy.start()
    await_fault(blobs, gone=True)
    assert blobs.check(blobs.put_file(str(path)).sha256) is None


def test_changed_bytes_in_the_store_are_no_blob(s3: S3Server, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    blobs = make(tmp_path)
    source = tmp_path / "planted"
    source.write_bytes(b"planted")
    sha256 = hashlib.sha256(b"right").hexdigest()
    remote_files.RemoteFiles(f"s3://{BUCKET}/kept").put(source, path_of(sha256))
    with caplog.at_level(logging.WARNING), pytest.raises(BlobMissing):
        blobs.open(sha256)
    assert "it was changed" in caplog.text
    assert str(blobs.check(sha256)).startswith("it was changed")
    assert blobs.check(put(blobs, b"right")) is None  # whoever makes it again mends it


def test_the_cache_keeps_what_was_used_last(tmp_path: Path) -> None:
    blobs = make(tmp_path, f"memory://{tmp_path}/kept", limit=64 * 1024)
    for number in range(40):
        put(blobs, bytes([number]) * 4096)
    kept = list((tmp_path / "cache").iterdir())
    assert sum(path.stat().st_size for path in kept) <= 64 * 1024 * 17 / 16
    assert hashlib.sha256(bytes([39]) * 4096).hexdigest() in {path.name for path in kept}
    with blobs.open(hashlib.sha256(bytes([0]) * 4096).hexdigest()) as file:
        assert file.read() == bytes(4096)


def test_a_task_gets_the_blobs_that_it_names_and_leaves_what_it_made(tmp_path: Path) -> None:
    blobs, never = make(tmp_path, f"memory://{tmp_path}/kept"), Signal()
    named, other = put(blobs, b"named"), put(blobs, b"other")
    of_task = TaskBlobs(blobs, tmp_path / "task")
    of_task.provide(
        {"dataset": {"sha256": named}, "model_blob": "0" * 64, "provenance": {"split_sha256": other}}, never
    )
    assert [path.name for path in of_task.folder.glob("*/*/*")] == [named]
    made = of_task.folder / path_of(hashlib.sha256(b"made").hexdigest())
    made.parent.mkdir(parents=True)
    made.write_bytes(b"made")
    of_task.store_new(never)
    assert blobs.check(made.name) is None
    assert [path.name for path in of_task.folder.glob("*/*/*")] == [named]


def test_a_url_keeps_its_password_to_itself() -> None:
    assert remote_files.RemoteFiles("memory://ana:secret@host/blobs").url == "memory://ana:…@host/blobs"
