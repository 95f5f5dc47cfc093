"""The document says what the code does, for every route, and the page shows it without loading anything."""

from __future__ import annotations

import re
from collections import Counter

from adapters.http.policy import OPEN, POLICY
from adapters.http.problems import KINDS
from domain import errors
from domain.errors import AutoLearnError
from tests.http.asgi import Caller


def document(caller: Caller) -> dict[str, dict]:
    reply: dict[str, dict] = caller.raw(caller.outgoing("GET", "/openapi.json"), {}, [b""]).json
    return reply


def test_every_row_of_the_policy_is_documented_as_sealed_and_signed(ana: Caller) -> None:
    paths = document(ana)["paths"]
    for row in POLICY:
        operation = paths[row.template][row.method.lower()]
        assert operation["x-sealed"] is True
        assert operation["security"] == [{"AutoLearn": []}]
        assert operation["tags"] == [row.service]
        assert operation["description"]
        assert {"401", "403", "503"} <= set(operation["responses"])
    assert set(paths) == ({row.template for row in POLICY} | OPEN) - {"/docs", "/openapi.json"}


def test_operation_ids_are_unique(ana: Caller) -> None:
    counted = Counter(op["operationId"] for methods in document(ana)["paths"].values() for op in methods.values())
    assert [name for name, number in counted.items() if number > 1] == []


def test_every_reference_leads_somewhere(ana: Caller) -> None:
    whole = document(ana)
    references = set(re.findall(r"'#/components/schemas/(\w+)'", repr(whole)))
    assert references <= set(whole["components"]["schemas"])
    assert "HTTPValidationError" not in repr(whole)


def test_the_page_shows_every_path_and_loads_nothing(ana: Caller) -> None:
    reply = ana.raw(ana.outgoing("GET", "/docs"), {}, [b""])
    page = reply.content.decode()
    for row in POLICY:
        assert row.template in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "default-src 'none'" in reply.headers["content-security-policy"]


def test_every_error_of_the_backend_has_a_status() -> None:
    """The client's own errors never come over the wire."""
    own = {"unreachable", "waited-too-long"}
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AutoLearnError)]
    assert {kind.slug for kind in kinds} - own <= set(KINDS)
