"""The whole life of models with blobs in an S3, which is away, refuses, and comes back."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from threading import Event as Signal
from typing import Any

import pytest

from domain.errors import ForbiddenError
from tests.end_to_end.place import Place, Shell
from tests.servers.fixtures import own, point_to
from tests.servers.s3 import BUCKET, Proxy, S3Server

pytestmark = pytest.mark.slow
SECONDS = 120.0
PLACES = ("://", "127.0.0.1", "s3")


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A way to an S3 of this module that can be cut."""
    folder = tmp_path_factory.mktemp("servers")
    with own(S3Server, folder / "s3") as server:
        proxy = Proxy(folder / "proxy", server)
        proxy.start()
        yield proxy
        proxy.kill()


@pytest.fixture(scope="module")
def in_s3(proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A backend whose blobs are there."""
    at = Place(tmp_path_factory.mktemp("backend") / "data")
    with pytest.MonkeyPatch.context() as patch:
        point_to(proxy, patch)
        patch.setenv("AUTOLEARN_BLOBS", f"s3://{BUCKET}/life")
        try:
            yield at.start()
        finally:
            at.stop()


@pytest.fixture(autouse=True)
def open_way(proxy: Proxy) -> Iterator[None]:
    """The way is open again after each test."""
    yield
    if proxy.process is None:
        proxy.start()


def ready(shell: Shell) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"{shell.url}/health/ready", timeout=30) as answer:  # noqa: S310 - http
            return dict(json.load(answer))
    except urllib.error.HTTPError as not_ready:
        return dict(json.load(not_ready))


def await_ready(shell: Shell, status: str) -> dict[str, Any]:
    until = time.monotonic() + SECONDS
    while (facts := ready(shell))["status"] != status:
        assert time.monotonic() < until, facts
        Signal().wait(0.2)
    return facts


def names_no_place(text: str) -> bool:
    return not any(place in text for place in PLACES)


def test_the_whole_life(in_s3: Shell, tmp_path: Path) -> None:
    csv = tmp_path / "own.csv"
    csv.write_text("size,shape,label\n" + "".join(f"{i % 7},{'ab'[i % 2]},{'yn'[i % 2]}\n" for i in range(80)))
    added = in_s3("dataset", "add", str(csv), "--name", "own", "--target", "label").json
    assert added["rows"] == 80
    assert in_s3("dataset", "show", "own", "--rows", "2").json["first_rows"]
    trained = in_s3("train", "own", "decision-tree", "--seed", "3", "--evaluate").json
    experiment = trained["experiment"]
    in_s3("search", "wine", "naive-bayes,decision-tree", "--trials", "4", "--strategy", "random")
    in_s3("commit", "--message", "in a bucket")
    assert in_s3("reproduce", experiment).json["verdict"] == "bit-identical"
    in_s3("export", experiment, str(tmp_path / "model.skops"))
    in_s3("export", experiment, str(tmp_path / "model.onnx"))
    assert (tmp_path / "model.skops").stat().st_size > 0
    rows = tmp_path / "rows.csv"
    rows.write_text("size,shape\n1,a\n2,b\n")
    in_s3("predict", experiment, str(rows), "--out", str(tmp_path / "answer.csv"), "--keep")
    assert len((tmp_path / "answer.csv").read_text().splitlines()) == 3
    assert in_s3("report", experiment).json
    assert in_s3("verify").json["ok"]
    assert not (in_s3.data / "blobs").exists()
    assert list((in_s3.data / "blob-cache").iterdir())


def test_a_store_that_goes_away_delays_a_training_and_fails_nothing(in_s3: Shell, proxy: Proxy) -> None:
    await_ready(in_s3, "ready")
    proxy.kill()
    called = in_s3("train", "wine", "logistic-regression", "--no-wait").json
    refused = in_s3("dataset", "add", str(Path(__file__).parents[2] / "examples" / "penguins.csv"), "--name", "late",
                    "--target", "species", code=3)  # fmt: skip
    assert refused.problem["type"] == "not-able-now"
    assert names_no_place(refused.problem["detail"])
    assert "does not answer" in await_ready(in_s3, "not-ready")["fault"]
    assert in_s3("show", called["experiment"]).json["state"] in {"requested", "started"}
    for path in (in_s3.data / "blob-cache").iterdir():
        path.unlink()
    shown = in_s3("dataset", "show", "own", code=3)
    assert "does not answer now" in shown.problem["detail"]
    assert names_no_place(shown.problem["detail"])
    proxy.start()
    assert in_s3("wait", called["experiment"]).code == 0
    assert in_s3("show", called["experiment"]).json["state"] == "completed"
    assert await_ready(in_s3, "ready")["fault"] is None
    assert in_s3("dataset", "show", "own").code == 0
    in_s3("discard")
    with urllib.request.urlopen(f"{in_s3.url}/metrics", timeout=30) as page:  # noqa: S310 - http
        figures = page.read().decode()
    assert 'autolearn_blob_seconds_count{operation="put"}' in figures
    assert 'autolearn_blob_failures_total{operation="put"}' in figures


def test_verify_tells_a_missing_blob_from_a_store_that_is_away(in_s3: Shell, proxy: Proxy) -> None:
    await_ready(in_s3, "ready")
    proxy.kill()
    faults = in_s3("verify", code=1).json["faults"]
    proxy.start()
    (fault,) = [fault["what"] for fault in faults]
    assert fault.startswith("blobs cannot be checked to the end: The store of blobs does not answer now")
    await_ready(in_s3, "ready")
    assert in_s3("verify").json["ok"]


def test_a_backend_starts_while_the_store_is_away_and_offers_its_data_sets_later(
    proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_to(proxy, monkeypatch)
    monkeypatch.setenv("AUTOLEARN_BLOBS", f"s3://{BUCKET}/another")
    at = Place(tmp_path / "data")
    proxy.kill()
    try:
        shell = at.start()
        assert "does not answer" in await_ready(shell, "not-ready")["fault"]
        assert shell("catalog", "datasets").json["datasets"] == []
        proxy.start()
        await_ready(shell, "ready")
        until = time.monotonic() + SECONDS
        while not shell("catalog", "datasets").json["datasets"]:
            assert time.monotonic() < until
        assert shell("train", "iris", "dummy").json["state"] == "completed"
    finally:
        at.stop()


def test_a_backend_whose_keys_are_refused_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with own(lambda folder: S3Server(folder, checks_keys=True), tmp_path / "s3") as server:
        point_to(server, monkeypatch)
        monkeypatch.setenv("AUTOLEARN_BLOBS", f"s3://{BUCKET}/life")
        at = Place(tmp_path / "data")
        with pytest.raises(ForbiddenError, match=r"AUTOLEARN_BLOBS=s3://blobs/life refuses this process's keys"):
            at.start()
