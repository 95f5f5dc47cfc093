"""docs/metrics.md names what processes answer under `/metrics`, all of it and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.membership.dependencies import Dependencies
from adapters.distributed.membership.membership import Membership
from adapters.distributed.mongo import Mongo
from adapters.distributed.read_models.store import MongoReadModelStore
from adapters.http.metrics import Metrics
from adapters.http.read_model_lag import LagMeter
from adapters.http.routes.process_health import ProcessHealth
from server.compose.followers import open_followers
from server.compose.http import health_of_work
from server.compose.stores import backup_gauges
from server.roles import Roles
from server.settings import read_settings
from tests.house.pages import rows, text
from tests.http.rig import Rig

PAGE = Path("docs/metrics.md")
KINDS = ("serve", "work", "relay", "project", "starting")
FAMILY = re.compile(r"^# TYPE (autolearn_\w+) ", re.MULTILINE)


def named(of: str | None = None) -> set[str]:
    """Return the names on the page: all, or those of a kind of process."""
    found = [row for row in rows(text(PAGE)) if row[0].startswith("`autolearn_") and len(row) == 3]
    assert {kind for row in found for kind in row[1].split(", ")} <= {*KINDS, "all"}
    return {row[0].strip("`") for row in found if of is None or {of, "all"} & {*row[1].split(", ")}}


def families(page: bytes) -> set[str]:
    """Return the names in an answer."""
    return set(FAMILY.findall(page.decode()))


@pytest.fixture
def answers(kafka: str, mongo: Mongo, tmp_path: Path) -> Iterator[dict[str, set[str]]]:
    """What each kind of process answers."""
    given = {"kafka": kafka, "mongodb": mongo.uri, "database": mongo.name, "data": tmp_path}
    settings = read_settings(mode="distributed", **given)
    rig = Rig.prepared(tmp_path / "rig")
    dependencies = Dependencies(mongo, Membership(mongo, "serve-1"))
    object.__setattr__(rig.backend, "gauges", lambda: {**dependencies.gauges(), **backup_gauges(lambda: None)})
    serve = Metrics(rig.backend, LagMeter(rig.backend))
    serve.observe("session", "GET /session", "200", 0.1)
    working: Any = SimpleNamespace(worker=rig.worker, application=rig.application, roles=Roles(work=("training",)))
    with ExitStack() as opened:
        opened.callback(rig.close)
        follower: dict[str, ProcessHealth] = {}
        for kind, roles in (("relay", Roles(relay=True)), ("project", Roles(project=True))):
            _, (follower[kind],) = open_followers(
                settings, roles, mongo, MongoReadModelStore(mongo), name=f"{kind}-1", opened=opened
            )
        follower["starting"] = ProcessHealth("serve", lambda: None, lambda: {"starting": 1})
        work = health_of_work(working, MongoFeed(mongo).end)
        pages = {kind: health.page() for kind, health in {"work": work, **follower}.items()}
        yield {kind: families(page) for kind, page in {"serve": serve.page(), **pages}.items()}


def test_the_page_names_what_each_kind_of_process_answers(answers: dict[str, set[str]]) -> None:
    assert {kind: sorted(answers[kind]) for kind in KINDS} == {kind: sorted(named(kind)) for kind in KINDS}
