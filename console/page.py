"""One request for a page: its questions to the backend, the commands it sends, and the HTML it becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from autolearn.client import BackendClient
from autolearn.errors import ClientError, ProblemError
from console.as_of_bar import AsOfBar
from console.lines import cli_line, python_line
from console.rendering import render

NOT_ALLOWED, AWAY = 403, 503
CHANGED, GONE = "changed since", "gone since"


class Page:
    """What the functions of `console.pages` get. They run in a thread, so they may wait for the backend."""

    def __init__(self, request: Request, form: FormData | None = None) -> None:
        self.request = request
        self.form = form or FormData()
        self.path = request.url.path  # of the page; what answers a form in place sets that of its page
        self.position = 0  # the latest that an answer on this page is true for
        self.notes: list[str] = []

    @property
    def client(self) -> BackendClient:
        client: BackendClient = self.request.app.state.client
        return client

    # -- what was asked for --------------------------------------------------------------------------------------------

    def given(self, name: str) -> str | None:
        """Return a parameter of the URL; None where it is absent or empty, as a form sends a field left out."""
        return self.request.query_params.get(name) or None

    def all_given(self, name: str) -> list[str]:
        return [value for value in self.request.query_params.getlist(name) if value]

    def part(self, name: str) -> str:
        """Return a part of the path, such as the id of an experiment."""
        return str(self.request.path_params[name])

    def field(self, name: str) -> str | None:
        """Return a text field of the form that was sent; None where it is absent or empty."""
        value = self.form.get(name)
        return value if isinstance(value, str) and value else None

    @property
    def as_of(self) -> str | None:
        return self.given("as_of")

    # -- the backend ---------------------------------------------------------------------------------------------------

    def ask(self, *path: str, **query: Any) -> Any:
        """Return the answer to a question as of the moment that the page shows. Raises ClientError."""
        answer = self.client.get(*path, as_of=self.as_of, **query)
        self.position = max(self.position, answer.position)
        if isinstance(answer.body, dict) and answer.body.get("note"):
            self.notes.append(str(answer.body["note"]))
        if answer.lag:
            self.notes.append(f"The read models catch up: {answer.lag}.")
        return answer.body

    def ask_now(self, *path: str, **query: Any) -> Any:
        """Return what is true now, whatever moment the page shows: what is on offer, what a command may act on."""
        return self.client.get(*path, **query).body

    def changed_since(self, then: Sequence[Mapping[str, Any]], key: str, *path: str, **query: Any) -> dict[Any, str]:
        """Return what became since then of each row that the page shows: `changed since` or `gone since`, by its `key`.

        `path` and `query` ask for the same list, whose name is the last part of the path.
        """
        if self.as_of is None:
            return {}
        today = {row[key]: row for row in self.ask_now(*path, **query)[path[-1]]}
        return {row[key]: CHANGED if row[key] in today else GONE for row in then if row != today.get(row[key])}

    def send(self, *path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Send a command and return its answer. Raises ClientError, which changes nothing."""
        return self.client.post(*path, body=dict(body or {})).body

    @cached_property
    def bar(self) -> AsOfBar | None:
        """The positions of the log, for the as-of bar; None where the backend does not tell them."""
        # Now is what the answers on this page are true for; of a moment that is none, the bar shows the end.
        shown = self.as_of or (f"@{self.position}" if self.position else None)
        for moment in dict.fromkeys((shown, None)):
            try:
                told = self.client.get("positions", as_of=moment).body
            except ClientError:
                continue
            return AsOfBar.of(told, self.as_of if moment == self.as_of else None)
        return None

    # -- answers -------------------------------------------------------------------------------------------------------

    def link(self, path: str, **query: Any) -> str:
        """Return the URL of another page as of the same moment; None leaves a parameter out, a list repeats it."""
        return _url(path, ({"as_of": self.as_of} | query))

    def here(self, **changes: Any) -> str:
        """Return the URL of this page with some parameters changed: None takes one away."""
        kept: dict[str, Any] = {name: self.all_given(name) for name in self.request.query_params}
        return _url(self.path, kept | changes)

    def show(self, template: str, *, title: str, cli: str, python: str, status: int = 200, **facts: Any) -> Response:
        """Return the page. `cli` and `python` are the lines that would show the same.

        With `live`, the browser asks for it again every second. A page of the past does not change.
        """
        if (moved := self._moved()) is not None:
            return moved
        facts["live"] = bool(facts.get("live")) and self.as_of is None
        return HTMLResponse(render(template, page=self, title=title, cli=cli, python=python, **facts), status)

    def cli_line(self, command: str, *arguments: str, **options: Any) -> str:
        """Return the command that asks the same, as of the same moment."""
        return cli_line(command, *arguments, **options, as_of=self.as_of)

    def python_line(self, method: str, *arguments: str, **options: Any) -> str:
        """Return the Python that asks the same, as of the same moment."""
        return python_line(method, *arguments, **options, as_of=self.as_of)

    def send_file(self, name: str, media: str, content: bytes) -> Response:
        return Response(content, media_type=media, headers={"Content-Disposition": f'attachment; filename="{name}"'})

    def go(self, path: str, **query: Any) -> Response:
        """Send the browser to the page that shows what a command did: reloading it repeats nothing."""
        return RedirectResponse(_url(path, query), 303)

    def go_here(self, **changes: Any) -> Response:
        """Send the browser to this page with some parameters changed."""
        return RedirectResponse(self.here(**changes), 303)

    def refuse(self, error: ClientError) -> Response:
        """Say what the backend refused, with its status and what would be right."""
        return self.refuse_by(error.status, str(error), not_allowed=_is_not_allowed(error))

    def refuse_by(self, status: int, sentence: str, *, not_allowed: bool = False) -> Response:
        live = status == AWAY and self.request.method == "GET"  # the page comes when the backend is back
        facts = {"status": status, "sentence": sentence, "not_allowed": not_allowed, "live": live}
        return HTMLResponse(render("error.html", page=self, title="Not possible", cli="", python="", **facts), status)

    def _moved(self) -> Response | None:
        """Send the slider's position to the one URL that stands for it."""
        moved = self.given("position")
        if moved is None or self.request.method != "GET":
            return None
        latest = self.bar is not None and moved == str(self.bar.end)
        return self.go_here(position=None, as_of=None if latest else f"@{moved}")


def page_route(path: str, function: Callable[[Page], Response], method: str = "GET") -> Route:
    """Return the route of a page's function; what the backend refuses becomes a page, too."""

    async def answer(request: Request) -> Response:
        if request.method != "POST":
            return await answer_page(Page(request))
        async with request.form() as form:  # which closes uploaded files
            return await answer_page(Page(request, form))

    async def answer_page(page: Page) -> Response:
        try:
            return await run_in_threadpool(function, page)
        except ClientError as refused:
            return await run_in_threadpool(page.refuse, refused)
        finally:
            await page.form.close()  # its files

    return Route(path, answer, methods=[method], name=function.__name__)


def _is_not_allowed(error: ClientError) -> bool:
    return isinstance(error, ProblemError) and error.status == NOT_ALLOWED


def _url(path: str, query: dict[str, Any]) -> str:
    given = {name: value for name, value in query.items() if value not in (None, "", [])}
    return path + (f"?{urlencode(given, doseq=True)}" if given else "")
