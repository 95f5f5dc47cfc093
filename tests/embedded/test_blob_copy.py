"""Blobs that a copy lacks are fetched once, whole; what the installation lacks itself is named."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from adapters.files.blob_copy import BlobCopy
from adapters.files.blobs import FileBlobs
from domain.errors import NotAbleError


@pytest.fixture
def places(tmp_path: Path) -> tuple[FileBlobs, FileBlobs]:
    return FileBlobs(str(tmp_path / "one")), FileBlobs(str(tmp_path / "other"))


def put(blobs: FileBlobs, content: bytes) -> str:
    path = Path(blobs.scratch(""))
    path.write_bytes(content)
    return blobs.put_file(str(path)).sha256


def file_of(folder: Path, sha256: str) -> Path:
    return next(folder.glob(f"*/*/{sha256}"))


def test_a_blob_is_copied_once(places: tuple[FileBlobs, FileBlobs], tmp_path: Path) -> None:
    source, target = places
    sha256 = put(source, b"rows")
    for _ in range(2):
        copy = BlobCopy(source, target)
        assert copy.check(sha256) is None
    assert (copy.copied, copy.lost) == (0, [])
    assert file_of(tmp_path / "other", sha256).read_bytes() == b"rows"


def test_a_damaged_copy_is_made_again(places: tuple[FileBlobs, FileBlobs], tmp_path: Path) -> None:
    source, target = places
    sha256 = put(source, b"rows")
    BlobCopy(source, target).check(sha256)
    damaged = file_of(tmp_path / "other", sha256)
    damaged.chmod(0o600)
    damaged.write_bytes(b"wors")
    copy = BlobCopy(source, target)
    assert copy.check(sha256) is None
    assert (copy.copied, copy.bytes, damaged.read_bytes()) == (1, 4, b"rows")


def test_what_is_lost_or_damaged_at_its_source_is_named_and_not_copied(
    places: tuple[FileBlobs, FileBlobs], tmp_path: Path
) -> None:
    source, target = places
    damaged, missing = put(source, b"rows"), hashlib.sha256(b"gone").hexdigest()
    file_of(tmp_path / "one", damaged).chmod(0o600)
    file_of(tmp_path / "one", damaged).write_bytes(b"wors")
    copy = BlobCopy(source, target)
    assert [copy.check(damaged), copy.check(missing)] == [None, None]
    assert (copy.copied, copy.lost) == (0, [damaged, missing])
    assert list((tmp_path / "other").glob("*/*/*")) == []
    assert list((tmp_path / "other" / "scratch").iterdir()) == []


def test_a_source_that_cannot_be_read_is_no_loss(places: tuple[FileBlobs, FileBlobs], tmp_path: Path) -> None:
    source, target = places
    sha256 = put(source, b"rows")
    file = file_of(tmp_path / "one", sha256)
    file.unlink()
    file.mkdir()
    copy = BlobCopy(source, target)
    with pytest.raises(NotAbleError, match="cannot be copied") as failure:
        copy.check(sha256)
    assert (copy.lost, copy.failure) == ([], failure.value)
