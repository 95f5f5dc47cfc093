"""Only requests of this machine, to the console's own address, with the secret of this start, reach a page."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.console.conftest import Console


@pytest.fixture
def http(console: Console) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=console.base) as client:
        yield client


def test_the_secret_moves_from_the_url_into_a_cookie_of_its_own(http: httpx.Client, console: Console) -> None:
    answer = http.get(f"/session?secret={console.server.secret}&as_of=@3")
    assert (answer.status_code, answer.headers["location"]) == (303, "/session?as_of=%403")
    kept = answer.headers["set-cookie"]
    assert kept.startswith(f"autolearn-console-{console.server.port}=")
    assert "HttpOnly" in kept
    assert "SameSite=strict" in kept


@pytest.mark.parametrize("path", ["/", "/session", "/static/style.css", "/?secret=wrong", "/?secret=%F0%9F%94%91"])
def test_without_the_secret_nothing_is_told(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert answer.status_code == 403
    assert "autolearn console" in answer.text


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Host": "127.0.0.1"}]
)
def test_other_hosts_and_origins_are_refused_with_the_secret_too(
    http: httpx.Client, console: Console, headers: dict[str, str]
) -> None:
    assert http.get(f"/?secret={console.server.secret}", headers=headers).status_code == 403
    http.get(f"/?secret={console.server.secret}")
    assert http.get("/session", headers=headers).status_code == 403
    assert http.post("/session/discard", headers=headers).status_code == 403


def test_a_redirect_never_leads_to_another_host(http: httpx.Client, console: Console) -> None:
    answer = http.get(f"//evil.example/?secret={console.server.secret}")
    assert not answer.headers.get("location", "").startswith("//")


def test_every_answer_forbids_what_no_page_needs(http: httpx.Client, console: Console) -> None:
    http.get(f"/?secret={console.server.secret}")
    for path in ("/", "/static/style.css", "/nowhere"):
        headers = http.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
    assert http.get("/").headers["cache-control"] == "no-store"
