"""Blobs on disk and on another file system of fsspec: by content, durable, never half, never outside their folder."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.files.blob_cache import BlobCache
from adapters.files.blobs import FileBlobs
from adapters.files.remote_blobs import RemoteBlobs
from commands.ports import BlobMissing
from domain.errors import BadInputError
from tests.servers.s3 import BUCKET

CONTENT = b"what a model learned"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(params=["folder", "file URL", "memory URL", "s3 URL"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> FileBlobs | RemoteBlobs:
    if request.param in ("memory URL", "s3 URL"):
        cache = BlobCache(tmp_path / "cache", 0)
        if request.param == "s3 URL":
            request.getfixturevalue("s3")
            return RemoteBlobs(f"s3://{BUCKET}/{tmp_path.name}", str(tmp_path / "scratch"), cache)
        return RemoteBlobs(f"memory://{tmp_path}/blobs", str(tmp_path / "scratch"), cache)
    folder = tmp_path / "with space" / "blobs"
    return FileBlobs(folder.as_uri() if request.param == "file URL" else str(folder))


def put(blobs: FileBlobs | RemoteBlobs, content: bytes = CONTENT) -> str:
    path = Path(blobs.scratch(".bin"))
    path.write_bytes(content)
    sha256 = blobs.put_file(str(path)).sha256
    assert not path.exists()
    return sha256


def test_a_blob_is_named_by_its_bytes_and_read_back(blobs: FileBlobs | RemoteBlobs) -> None:
    path = Path(blobs.scratch(".bin"))
    path.write_bytes(CONTENT)
    ref = blobs.put_file(str(path))
    assert (ref.sha256, ref.size) == (SHA256, len(CONTENT))
    with blobs.open(SHA256) as file:
        assert file.read() == CONTENT
    assert blobs.check(SHA256) is None


def test_the_same_bytes_twice_are_one_blob(blobs: FileBlobs | RemoteBlobs) -> None:
    assert put(blobs) == put(blobs) == SHA256
    assert blobs.check(SHA256) is None


def test_an_empty_file_is_a_blob(blobs: FileBlobs | RemoteBlobs) -> None:
    with blobs.open(put(blobs, b"")) as file:
        assert file.read() == b""


@pytest.mark.parametrize("name", ["0" * 64, "", "../../etc/passwd", SHA256[:-1], SHA256.upper(), "/" * 64])
def test_what_names_no_blob_is_missing(blobs: FileBlobs | RemoteBlobs, name: str) -> None:
    put(blobs)
    with pytest.raises(BlobMissing):
        blobs.open(name)
    assert blobs.check(name) == "it is missing"


def test_scratch_paths_are_fresh_and_sweep_removes_what_was_left(blobs: FileBlobs | RemoteBlobs) -> None:
    left = [Path(blobs.scratch(".csv")) for _ in range(2)]
    assert left[0] != left[1]
    for path in left:
        path.write_bytes(b"half")
    folder = Path(blobs.scratch(""))  # as a launcher makes for each task
    folder.mkdir()
    (folder / "inside").write_bytes(b"half")
    put(blobs)
    assert blobs.sweep() == 3
    assert not any(path.exists() for path in left)
    assert blobs.sweep() == 0
    assert blobs.check(SHA256) is None


def test_changed_bytes_are_found(tmp_path: Path) -> None:
    blobs = FileBlobs(str(tmp_path))
    put(blobs)
    (stored,) = [path for path in tmp_path.rglob("*") if path.name == SHA256]
    assert stored.relative_to(tmp_path).parts[:2] == (SHA256[:2], SHA256[2:4])
    stored.chmod(0o600)
    stored.write_bytes(CONTENT.replace(b"a", b"b"))
    assert "changed" in str(blobs.check(SHA256))


def test_a_wrong_file_in_a_blobs_place_is_replaced_by_the_blob(tmp_path: Path) -> None:
    blobs = FileBlobs(str(tmp_path / "blobs"))
    name = hashlib.sha256(b"right").hexdigest()
    place = tmp_path / "blobs" / name[:2] / name[2:4] / name
    place.parent.mkdir(parents=True)
    place.write_bytes(b"planted")
    assert list(blobs.stored()) == [name]
    source = Path(blobs.scratch(".x"))
    source.write_bytes(b"right")
    assert blobs.put_file(str(source)).sha256 == name
    assert blobs.check(name) is None


def test_files_in_places_of_no_blob_are_none(tmp_path: Path) -> None:
    blobs = FileBlobs(str(tmp_path / "blobs"))
    for name in ("aa/bb/note", f"aa/bb/{'c' * 64}", f"{'a' * 64}"):
        path = tmp_path / "blobs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    assert list(blobs.stored()) == []


def test_a_blob_counts_only_after_file_and_folders_are_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs = FileBlobs(str(tmp_path))
    flushed: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        flushed.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    path = Path(blobs.scratch(".bin"))
    path.write_bytes(CONTENT)
    blobs.put_file(str(path))
    assert flushed.index(path.name) == len(flushed) - 2  # the bytes under the temporary name, then the last folder
    assert flushed == [tmp_path.name, SHA256[:2], path.name, SHA256[2:4]]


def test_a_file_of_another_disk_is_taken_in(tmp_path: Path) -> None:
    shared_memory = Path("/dev/shm")  # noqa: S108 - the one other file system that every Linux has
    if not shared_memory.is_dir() or shared_memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second file system")
    path = shared_memory / f"autolearn-test-{os.getpid()}"
    path.write_bytes(CONTENT)
    assert FileBlobs(str(tmp_path)).put_file(str(path)).sha256 == SHA256
    assert not path.exists()


def test_a_url_of_no_known_protocol_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(
        BadInputError, match=r"AUTOLEARN_BLOBS=foo://bar is not a place for blobs here: .*foo.*file:///"
    ):
        RemoteBlobs("foo://bar", str(tmp_path), BlobCache(tmp_path, 0))


def test_a_folder_is_not_on_another_machine() -> None:
    with pytest.raises(ValueError, match="no folder of this machine"):
        FileBlobs("memory://blobs")


def test_importing_blobs_loads_no_heavy_library() -> None:
    code = (
        "import sys, adapters.files.blobs;"
        "print([m for m in ('numpy', 'pandas', 'pyarrow', 'sklearn', 'fsspec', 'multiprocessing') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
