"""An S3 of a test's own: moto's server, which keeps objects in memory and speaks the real protocol."""

from __future__ import annotations

import http.client
import re
import sys
from pathlib import Path

from tests.servers.process import Server

BUCKET = "blobs"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
REQUEST = re.compile(r'"(?:\x1b\[\S*?m)*(GET|HEAD|PUT|POST|DELETE) (\S+) HTTP')


class S3Server(Server):
    """A server with one empty bucket; `checks_keys`: nobody has keys that it takes."""

    def __init__(self, folder: Path, *, checks_keys: bool = False) -> None:
        super().__init__(folder)
        self.checks_keys = checks_keys

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[str]:
        """What was asked so far of the bucket: method and path."""
        found = (" ".join(asked) for asked in REQUEST.findall(self.log))
        return [asked for asked in found if f"/{BUCKET}/" in asked]

    def command(self) -> list[str]:
        """Return the server's command line."""
        free = ["/usr/bin/env", "INITIAL_NO_AUTH_ACTION_COUNT=1"] if self.checks_keys else []
        return [*free, sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]

    def answers(self) -> bool:
        """Make the bucket: tell whether it is there."""
        asking = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            asking.request("PUT", f"/{BUCKET}")
            return asking.getresponse().status == http.client.OK
        except OSError:
            return False
        finally:
            asking.close()


class Proxy(Server):
    """Stands before a server: killed it refuses connections, frozen it accepts them and says nothing, `delay` slows it.

    The server behind it goes on, and so does what it has stored.
    """

    def __init__(self, folder: Path, server: Server, delay: float = 0.0) -> None:
        super().__init__(folder)
        self.server = server
        self.delay = delay

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """Return the proxy's command line."""
        return [sys.executable, "-c", FORWARD, str(self.port), str(self.server.port), str(self.delay)]

    def answers(self) -> bool:
        """Tell whether it accepts connections, which it was asked before."""
        return True


FORWARD = """
import asyncio, sys
port, target, delay = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])

async def pump(source, sink, pause):
    try:
        while block := await source.read(65536):
            await asyncio.sleep(pause)
            sink.write(block)
            await sink.drain()
    except OSError:
        pass
    finally:
        sink.close()

async def forward(reader, writer):
    server = await asyncio.open_connection("127.0.0.1", target)
    await asyncio.gather(pump(reader, server[1], 0), pump(server[0], writer, delay))

async def main():
    async with await asyncio.start_server(forward, "127.0.0.1", port) as listening:
        await listening.serve_forever()

asyncio.run(main())
"""
