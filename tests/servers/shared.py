"""One server per test run, however many processes run the tests: the first who needs it starts it, the last ends it.

Each user holds a named pipe open for writing. The kernel closes it at whatever end of the user, and a keeper reads the
end of the file when the last has gone: no count that a crash leaves wrong.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

ROOT = Path(__file__).parents[2]
KEEPERS: list[subprocess.Popen[bytes]] = []  # held, as a forgotten process is warned about


@contextmanager
def shared(kind: str, run: Path) -> Iterator[str]:
    """Use the server of a test run, `run` being a folder of that run alone; yields its URL.

    OSError: it does not start; with the end of its log.
    """
    with FileLock(run / f"{kind}.lock"):
        line = _join(run / f"{kind}.users")
        if line is None:
            line = _begin(kind, run)
        url = (run / f"{kind}.url").read_text()
    try:
        yield url
    finally:
        os.close(line)


def _join(users: Path) -> int | None:
    """Open the pipe of a server that has a keeper; None where there is none, or its keeper died."""
    try:
        return os.open(users, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


def _begin(kind: str, run: Path) -> int:
    """Start a keeper; it goes on in a session of its own, as the first user need not be the last."""
    users, said = run / f"{kind}.users", run / f"{kind}.said"
    users.unlink(missing_ok=True)
    os.mkfifo(users)
    line = os.open(users, os.O_RDWR)  # for writing alone it would not open before the keeper reads
    command = [sys.executable, "-m", "tests.servers.keeper", kind, str(run)]
    with said.open("w") as log:
        keeper = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )
    KEEPERS.append(keeper)
    url = keeper.stdout.readline() if keeper.stdout else b""
    if not url:
        os.close(line)
        raise OSError(f"no {kind} for this run: {said.read_text()[-2000:]}")
    (run / f"{kind}.url").write_text(url.decode().strip())
    joined = os.open(users, os.O_WRONLY | os.O_NONBLOCK)
    os.close(line)
    return joined
