"""The compose file runs: its commands and environment as processes, real servers, its nginx, the whole life."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from server.roles import SERVICES
from tests.deploy.cluster import Cluster
from tests.end_to_end.place import Shell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def cluster(tmp_path: Path, kafka: str, mongodb: str, installation: str) -> Iterator[Cluster]:
    """All processes of the compose file, two of the service training; not started."""
    laid_out = Cluster(tmp_path, kafka, mongodb, installation, {"training": 2})
    yield laid_out
    laid_out.stop()


def test_the_whole_life_passes_through_nginx(cluster: Cluster, tmp_path: Path) -> None:
    shell = cluster.client("ana", "analyst", "sys-admin")
    cluster.start()

    trained = shell("train", "wine", "svm", "--seed", "7", "--evaluate").json
    assert (trained["state"], trained["dataset"]["name"]) == ("completed", "wine")
    receipt = shell("commit", "--message", "through nginx").json
    assert receipt["experiments"] == [trained["experiment"]]
    history = shell("history", "--where", "precision > 0.1").json
    assert [it["experiment"] for it in history["experiments"]] == [trained["experiment"]]
    assert shell("history", "--as-of", f"@{receipt['position'] - 1}").json["experiments"] == []

    an_own_data_set(shell, tmp_path)
    in_the_background(shell)
    an_instance_is_killed(cluster, shell)

    assert shell("verify", "--anchor", f"{receipt['position']}:{receipt['head']}").json["ok"]
    operations = {it["operation"] for it in shell("log").json["communications"]}
    assert {"POST /trainings", "POST /session/commit", "POST /catalog/datasets", "POST /verifications"} <= operations
    each_service_is_asked(cluster)
    assert all(cluster.is_healthy(name) for name in ("catalog", "relay"))


def an_own_data_set(shell: Shell, folder: Path) -> None:
    """A raw file passes as it comes."""
    file = folder / "own.csv"
    file.write_text("a,b,label\n" + "".join(f"{n % 7},{n},{'yes' if n % 2 else 'no'}\n" for n in range(60)))
    assert shell("dataset", "add", str(file), "--name", "own", "--target", "label").json["rows"] == 60


def in_the_background(shell: Shell) -> None:
    """Events of a queued training reach their reader as they happen; `call` waits only for what it is told to."""
    requested = shell("train", "own", "decision-tree", "--no-wait").json
    path = f"/trainings/{requested['experiment']}/events?after_position={requested['position']}"
    lines = shell("call", "GET", path).out.splitlines()
    assert json.loads(lines[-1])["data"]["state"] == "completed"


def an_instance_is_killed(cluster: Cluster, shell: Shell) -> None:
    """The next calls go to the other one."""
    cluster.members["training"][0].kill()
    for _ in range(2):
        assert shell("train", "iris", "naive-bayes").json["state"] == "completed"


def each_service_is_asked(cluster: Cluster) -> None:
    """Every service answers for itself behind the one URL."""
    connection = http.client.HTTPConnection(urlsplit(cluster.nginx.url).netloc)
    for service in SERVICES:
        connection.request("GET", f"/services/{service}/openapi.json")
        paths = json.loads(connection.getresponse().read())["paths"]
        assert any(f"/{service}" in path or service == "storage" for path in paths), service
    connection.close()
