"""Who may use the console: requests from this machine, to its own address, with the secret of this start."""

from __future__ import annotations

import hmac
from urllib.parse import urlencode

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECRET = "secret"  # noqa: S105 - the name of the parameter
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Checks Host, Origin and secret before the application sees a request, and protects each answer by headers.

    The secret comes once, in the URL that `autolearn console` prints. From then on it is in a cookie that no script can
    read and no other site can send. Other sites send another Origin, and a name that was bound to this address another
    Host.
    """

    def __init__(self, app: ASGIApp, secret: str, port: int) -> None:
        self.app = app
        self.secret = secret
        self.hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        self.cookie = f"autolearn-console-{port}"  # cookies know no ports: two consoles must not share one

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        refusal = self._refuse(request)
        if refusal is not None:
            await refusal(scope, receive, _with_headers(send, cached=False))
            return
        await self.app(scope, receive, _with_headers(send, cached=request.url.path.startswith("/static/")))

    def _refuse(self, request: Request) -> Response | None:
        """Return the answer that ends a request here, or None."""
        own = {f"http://{host}" for host in self.hosts}
        origin = request.headers.get("origin")
        if request.headers.get("host") not in self.hosts or (origin is not None and origin not in own):
            return PlainTextResponse("The console is for requests from this machine that use its own URL.\n", 403)
        given = request.query_params.get(SECRET)
        if given is not None and self._is_secret(given):
            return self._hand_out_cookie(request)
        if not self._is_secret(request.cookies.get(self.cookie, "")):
            return PlainTextResponse(
                "Open the URL that `autolearn console` printed: it has the secret of this start.\n", 403
            )
        return None

    def _is_secret(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.secret.encode())

    def _hand_out_cookie(self, request: Request) -> Response:
        """Send the browser to the same page without the secret, which must not stay in its history."""
        kept = urlencode([(name, value) for name, value in request.query_params.multi_items() if name != SECRET])
        path = "/" + request.url.path.lstrip("/")  # two slashes would begin another host
        answer = RedirectResponse(path + (f"?{kept}" if kept else ""), 303)
        answer.set_cookie(self.cookie, self.secret, httponly=True, samesite="strict", path="/")
        return answer


def _with_headers(send: Send, *, cached: bool) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "private, max-age=3600" if cached else "no-store")
        await send(message)

    return send_with_headers
