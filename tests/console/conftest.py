"""A real backend with some work in it, the console before it, and a browser."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from autolearn.client import make_client
from console.server import ConsoleServer
from tests.console.browsers import CHROMIUM_ARGUMENTS, find_chromium
from tests.end_to_end.place import Place, Shell
from tests.servers.fixtures import not_here

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SECONDS = 30


@dataclass(frozen=True)
class Console:
    """A console that runs, and the backend it asks."""

    server: ConsoleServer
    shell: Shell
    place: Place

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """Give a client that has the cookie already, for what needs no browser."""
        with httpx.Client(base_url=self.base, follow_redirects=True, timeout=60) as client:
            client.get(f"/?secret={self.server.secret}")
            yield client


@contextmanager
def console_for(place: Place, shell: Shell) -> Iterator[Console]:
    """Serve a console for the user of a shell, in a thread."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in shell.environment.items():
            patch.setenv(name, value)
        server = ConsoleServer(make_client(), 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield Console(server, shell, place)
    finally:
        server.server.should_exit = True
        thread.join(SECONDS)


@contextmanager
def made_console(factory: pytest.TempPathFactory) -> Iterator[Console]:
    """Start a backend with two committed experiments and a third one in the session, and a console before it."""
    place = Place(factory.mktemp("console") / "data")
    try:
        shell = place.start()
        shell("train", "iris", "svm", "--evaluate", "--commit", "--message", "first")
        shell("train", "wine", "decision-tree", "-p", "max_depth=3", "--evaluate", "--commit")
        shell("train", "wine", "svm", "--evaluate")
        with console_for(place, shell) as running:
            yield running
    finally:
        place.stop()


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """One console for all tests that only look, or add things that disturb no other test."""
    with made_console(tmp_path_factory) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        path = find_chromium()
    except LookupError as missing:
        not_here(missing)
    expect.set_options(timeout=SECONDS * 1000)  # a busy machine needs longer than the usual five seconds
    with sync_playwright() as playwright:  # while it is open, no other module's test can run an event loop
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, console: Console) -> Iterator[Visit]:
    """Return a function that opens a page in a window of its own; an error that a page reports fails the test."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def visit(path: str, **window: Any) -> Page:
        context = browser.new_context(base_url=console.base, **window)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda told: faults.append(told.text) if is_fault(told.type, told.text) else None)
        page.goto(f"/?secret={console.server.secret}")
        page.goto(path)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not faults


def is_fault(kind: str, text: str) -> bool:
    """Whether a line of the browser's console is a fault; a refusal's status is told there, too."""
    return kind == "error" and "the server responded with a status of " not in text


def axe_violations(page: Page, rule: str | None = None) -> list[str]:
    """Return what axe-core finds against WCAG 2.2 AA and its best practices, or against one rule."""
    options = {"runOnly": RULES if rule is None else {"type": "rule", "values": [rule]}}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{it['id']}: {it['help']} {[node['html'] for node in it['nodes'][:3]]}" for it in found]
