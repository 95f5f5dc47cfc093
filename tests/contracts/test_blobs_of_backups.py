"""Blobs of an object store go into a back-up and out of it; a store that is away is an outage, not a loss."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.files.blob_copy import BlobCopy
from adapters.files.blobs import FileBlobs
from domain.errors import NotAbleError
from server.compose.backup import back_up
from server.compose.restore import restore
from server.settings import read_settings
from tests.contracts.test_remote_blobs import make, put
from tests.embedded.test_backup import last
from tests.embedded.test_lost_tails import live
from tests.servers.fixtures import own, point_to
from tests.servers.s3 import BUCKET, Proxy, S3Server


def test_a_remote_blob_is_copied_to_a_folder_and_back(s3: S3Server, tmp_path: Path) -> None:
    remote, folder = make(tmp_path / "here"), FileBlobs(str(tmp_path / "backup"))
    sha256 = put(remote, b"rows")
    out = BlobCopy(make(tmp_path / "backing"), folder)
    assert (out.check(sha256), out.copied, folder.check(sha256)) == (None, 1, None)
    other = make(tmp_path / "there", f"s3://{BUCKET}/restored")
    back = BlobCopy(folder, other)
    assert (back.check(sha256), back.copied, other.check(sha256)) == (None, 1, None)
    assert (out.lost, back.lost) == ([], [])


def test_a_store_that_is_away_is_no_loss(s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with own(lambda folder: Proxy(folder, s3_server), tmp_path / "proxy") as proxy:
        point_to(proxy, monkeypatch)
        remote, folder = make(tmp_path / "here"), FileBlobs(str(tmp_path / "backup"))
        sha256 = put(remote, b"other rows")
        proxy.kill()
        copy = BlobCopy(make(tmp_path / "backing"), folder)
        with pytest.raises(NotAbleError):
            copy.check(sha256)
        assert copy.lost == []


@pytest.mark.usefixtures("s3")
def test_an_installation_with_remote_blobs_is_restored(tmp_path: Path) -> None:
    settings = read_settings(data=tmp_path / "data", blobs=f"s3://{BUCKET}/kept")
    live(settings, "ana")
    assert last(back_up(settings, tmp_path / "backup", with_master_key=True))["ok"]
    fresh = read_settings(data=tmp_path / "fresh", blobs=f"s3://{BUCKET}/fresh")
    assert last(restore(fresh, tmp_path / "backup"))["ok"]
    live(fresh, "bob")
