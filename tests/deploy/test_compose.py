"""The compose file and the image: every role of every service, one proxy, nothing secret, names that fit."""

from __future__ import annotations

import re
import subprocess
import tomllib
from typing import Any

import pytest
from pymongo.uri_parser import parse_uri

from adapters.http.app_state import INGESTS, SINGLE_ROWS
from adapters.http.middleware.limits import LONG, SHORT, STREAMS, WATCHERS
from server.compose.services import TASKS
from server.roles import SERVICES
from server.settings import Settings
from tests.deploy.compose import NotSetError, compose, interpolated, ours, replicas
from tests.deploy.nginx import VARIABLES
from tests.house.tracked import ROOT
from tests.servers import places

MIB = 2**20
# Seen after a training in the embedded mode: a process 75 MiB, its forkserver 241 MiB, 140 of them its own, of which a
# task that touches all has copies. What an inspection needs is an allowance.
PROCESS, FORKSERVER, COPIED, INSPECTION = 256 * MIB, 384 * MIB, 256 * MIB, 512 * MIB
DRIVERS, THREADS_OF_A_TASK = 64, 16
MONGODB = "6.0"  # of what tests/servers/mongod.lock installs
GIVEN = {"AUTOLEARN_MASTER_KEY_FILE": "master.key"}
LETS_THROUGH = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.fixture
def file() -> dict[str, Any]:
    return compose(GIVEN)


def all_the_time(file: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: it for name, it in file["services"].items() if "profiles" not in it}


def test_every_role_of_every_service_is_there(file: dict[str, Any]) -> None:
    commands = [tuple(it["command"][:-2]) for it in ours(file).values()]
    kinds = [(kind, service) for kind in ("serve", "work") for service in SERVICES]
    assert sorted(commands) == sorted([*kinds, ("relay",), ("project",)])
    assert {name: replicas(it) for name, it in ours(file).items() if replicas(it) > 1} == {"relay": 2, "project": 2}
    assert {it["command"][-1] for it in ours(file).values()} == {"8420"}


def test_only_the_proxy_can_be_reached_and_from_this_machine_alone(file: dict[str, Any]) -> None:
    assert {name: it["ports"] for name, it in file["services"].items() if "ports" in it} == {
        "nginx": ["127.0.0.1:8420:8080"]
    }
    assert file["networks"]["inside"]["internal"] is True
    assert {name for name, it in file["services"].items() if it["networks"] != ["inside"]} == {"nginx"}


def test_there_is_no_secret_and_no_default_for_one(file: dict[str, Any]) -> None:
    with pytest.raises(NotSetError, match=r"AUTOLEARN_MASTER_KEY_FILE: name the file .*"):
        compose({})
    assert file["secrets"] == {"master_key": {"file": "master.key"}}
    named = {name for it in file["services"].values() for name in it.get("environment", {})}
    assert {it for it in named if re.search("KEY|PASS|SECRET|TOKEN", it)} == {"AUTOLEARN_MASTER_KEY_FILE"}


def test_all_are_confined_and_watched(file: dict[str, Any]) -> None:
    for name, it in file["services"].items():
        assert (it["cap_drop"], it["security_opt"]) == (["ALL"], ["no-new-privileges:true"]), name
        assert it["logging"] == {"driver": "local"}, name
    for name, it in all_the_time(file).items():
        assert it["healthcheck"]["test"], name
        assert it["restart"] == "unless-stopped", name
    for name, it in {**ours(file), "nginx": file["services"]["nginx"]}.items():
        assert it["read_only"] is True, name


def test_settings_are_settings(file: dict[str, Any]) -> None:
    known = {f"AUTOLEARN_{name}".upper() for name in Settings.model_fields}
    for it in ours(file).values():
        assert {name for name in it["environment"] if name.startswith("AUTOLEARN_")} <= known
        assert it["environment"]["AUTOLEARN_MODE"] == "distributed"


def test_what_is_named_is_there(file: dict[str, Any]) -> None:
    services = file["services"]
    for name, it in services.items():
        assert all("test" in services[before]["healthcheck"] for before in it.get("depends_on", {})), name
        for volume in it.get("volumes", ()):
            source = volume.partition(":")[0]
            assert source in file["volumes"] or (ROOT / source).is_dir(), name
        assert set(it.get("secrets", ())) <= set(file["secrets"]), name
        assert not it["image"].endswith("latest") or name, name
    assert (ROOT / "deploy/nginx").is_dir()
    assert [it.name for it in (ROOT / "deploy/nginx").iterdir()] == ["autolearn.conf.template"]


def test_addresses_lead_to_services(file: dict[str, Any]) -> None:
    services = file["services"]
    mongodb = parse_uri(services["catalog"]["environment"]["AUTOLEARN_MONGODB"])
    ((host, _),) = mongodb["nodelist"]
    command = services[host]["command"]
    assert mongodb["options"]["replicaSet"] == command[command.index("--replSet") + 1]
    kafka = services["catalog"]["environment"]["AUTOLEARN_KAFKA"]
    broker = services[kafka.partition(":")[0]]["environment"]
    assert broker["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{kafka}"
    proxy = services["nginx"]["environment"]
    assert set(proxy) == set(VARIABLES)
    for service in SERVICES:
        name, _, port = proxy[service.upper()].partition(":")
        assert services[name]["command"] == ["serve", service, "--port", port]
    assert services["nginx"]["ports"][0].endswith(f":{proxy['LISTEN']}")


def test_the_image_gets_what_it_copies_and_nothing_else() -> None:
    copied = {
        part for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE) for part in line.split()
    }
    assert copied == LETS_THROUGH
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["setuptools"]["packages"]["find"]["include"]
    assert copied >= {name.removesuffix("*") for name in packages}
    assert {name for name in copied if not (ROOT / name).exists()} == set()


def test_the_image_runs_the_program_as_nobody_special() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert re.search(r'^ENTRYPOINT \["(\w+)"\]$', DOCKERFILE, re.MULTILINE)[1] in scripts  # type: ignore[index]  # it fails then
    assert re.search(r"^USER (?!0|root)\S+$", DOCKERFILE, re.MULTILINE)
    assert "--require-hashes" in DOCKERFILE


def test_every_service_has_limits_that_fit_what_runs_in_it(file: dict[str, Any]) -> None:
    """The kernel must not kill a process, or its forkserver, while each of its tasks keeps to its own limit."""
    for name, it in file["services"].items():
        assert it["mem_limit"] == it["memswap_limit"], name
        assert float(it["cpus"]) >= 1, name
        assert int(it["pids_limit"]) >= 64, name
    for name, it in ours(file).items():
        tasks, own = tasks_of(it), size(it["tmpfs"][0].partition("size=")[2])
        if it["command"][:2] == ["serve", "storage"]:
            own += slots_of(it) * INSPECTION
        each = int(it["environment"]["AUTOLEARN_TASK_MEMORY"]) + COPIED
        assert size(it["mem_limit"]) >= own + (FORKSERVER if tasks else 0) + PROCESS + tasks * each, name
        threads = SHORT + LONG + STREAMS + WATCHERS if it["command"][0] == "serve" else 0
        assert int(it["pids_limit"]) >= threads + DRIVERS + tasks * THREADS_OF_A_TASK, name


def tasks_of(service: dict[str, Any]) -> int:
    """Return how many task processes a service may run at a time."""
    role, name = service["command"][0], service["command"][1]
    in_slots = slots_of(service) if role in {"serve", "work"} and name in TASKS else 0
    of_calls = {"catalog": INGESTS, "storage": INGESTS + SINGLE_ROWS}.get(name, 0) if role == "serve" else 0
    describes = int([role, name] == ["work", "catalog"])
    return in_slots + of_calls + describes


def slots_of(service: dict[str, Any]) -> int:
    return int(service["environment"]["AUTOLEARN_SLOTS"])


def size(text: str) -> int:
    """Return a size in bytes, as compose reads it."""
    return int(text[:-1]) << {"k": 10, "m": 20, "g": 30}[text[-1]]


def test_servers_fit_into_their_limits(file: dict[str, Any]) -> None:
    mongodb, kafka = file["services"]["mongodb"], file["services"]["kafka"]
    cache = float(mongodb["command"][mongodb["command"].index("--wiredTigerCacheSizeGB") + 1])
    assert size(mongodb["mem_limit"]) >= (cache + 1) * size("1g")
    heap = re.search(r"-Xmx(\w+)", kafka["environment"]["KAFKA_HEAP_OPTS"])
    assert heap is not None
    assert size(kafka["mem_limit"]) >= 2 * size(heap[1])


def test_servers_have_the_versions_that_the_tests_run(file: dict[str, Any]) -> None:
    pom = (ROOT / "tests/servers/pom.xml").read_text(encoding="utf-8")
    tested = re.search(r"<artifactId>kafka_2\.13</artifactId>\s*<version>([\d.]+)", pom)
    assert tested is not None
    assert file["services"]["kafka"]["image"] == f"apache/kafka:{tested[1]}"
    assert file["services"]["mongodb"]["image"] == f"mongo:{MONGODB}"
    installed = places.cache() / "mongod"  # one on the PATH may be any
    if installed.exists():
        says = subprocess.run([installed, "--version"], capture_output=True, text=True, check=True).stdout
        assert says.startswith(f"db version v{MONGODB}.")


def test_interpolation_is_compose_s() -> None:
    text = "${A} ${B:-b} ${C:-} ${D:?why}"
    assert interpolated(text, {"A": "1", "D": "4"}) == "1 b  4"
    with pytest.raises(NotSetError, match="D: why"):
        interpolated(text, {"A": "1"})
