"""The real nginx with the compose file's own configuration: the gateway's cases, and some of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from adapters.http.routing import SERVICES
from tests.deploy.nginx import TEMPLATE, VARIABLES, Nginx
from tests.deploy.passing import MIB, Door, Passing, instances

NOBODY = "127.0.0.1:9"


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Nginx in front of two instances of each service, and one address where nobody listens."""
    with instances(2) as (behind, urls):
        addresses = {service: [NOBODY, *(urlsplit(url).netloc for url in urls[service])] for service in urls}
        server = Nginx(tmp_path_factory.mktemp("nginx"), addresses, {})
        server.start()
        yield Door(server.url, behind)
        server.stop()


class TestNginx(Passing):
    """What any door must do."""


def test_a_body_that_no_gate_would_take_is_refused_at_the_door(door: Door) -> None:
    status, headers, told = door.asked("POST", "/trainings", bytes(5 * MIB))
    assert (status, headers["content-type"], told["type"]) == (413, "application/problem+json", "too-large")


def test_instances_take_turns_and_a_dead_one_is_passed_by(door: Door) -> None:
    for _ in range(9):
        assert door.asked("POST", "/trainings", b"{}")[0] == 200
    assert all(echo.heard for echo in door.behind["training"])


def test_where_no_instance_answers_a_problem_says_so(tmp_path: Path) -> None:
    server = Nginx(tmp_path, {service: [NOBODY] for service in SERVICES}, {})
    server.start()
    status, headers, told = Door(server.url, {}).asked("POST", "/session/commit", b"{}")
    server.stop()
    assert (status, headers["content-type"], headers["retry-after"]) == (503, "application/problem+json", "1")
    assert (told["type"], told["status"]) == ("not-able-now", 503)


def test_the_template_needs_what_the_compose_file_gives() -> None:
    assert set(re.findall(r"\$\{(\w+)\}", TEMPLATE.read_text(encoding="utf-8"))) == set(VARIABLES)
