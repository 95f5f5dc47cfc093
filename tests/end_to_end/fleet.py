"""A fleet: the processes of a distributed installation, each of which a test may kill, and nginx in front."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from autolearn.client import BackendClient
from autolearn.credentials import Credentials
from autolearn.positions import Positions
from server.roles import SERVICES
from tests.deploy.nginx import Nginx
from tests.end_to_end.place import SECONDS, Shell
from tests.servers.fixtures import delete_topics, drop_database

START_SECONDS = 180.0  # a dozen processes that start at once on two busy cores
OK = 200
URL = re.compile(r"answers at (http://[^\s:]+:\d+)")
IN_CHARGE = re.compile(r'^autolearn_in_charge\{work="([\w-]+)"\} 1\.0$', re.MULTILINE)
GAUGE = re.compile(r"^autolearn_(\w+) (\S+)$", re.MULTILINE)


@dataclass
class Member:
    """One process, its log and its URL."""

    command: tuple[str, ...]
    process: subprocess.Popen[bytes]
    log: Path
    url: str = ""

    @classmethod
    def begin(cls, command: Sequence[str], environment: Mapping[str, str], log: Path) -> Self:
        """Start a process; it may not answer yet."""
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", *command],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )
        return cls(tuple(command), process, log)

    def ready(self) -> None:
        """Wait until it answers."""
        until(lambda: URL.search(self.said) or self.process.poll() is not None, START_SECONDS)
        found = URL.search(self.said)
        assert found, f"{self.command} does not answer:\n{self.said}"
        self.url = found[1]

    def end(self) -> None:
        """End it, frozen or not, if it runs."""
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.process.terminate()
        try:
            self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    @property
    def said(self) -> str:
        """What it wrote to standard error."""
        return self.log.read_text(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """Kill it as a crash would."""
        self.process.kill()
        self.process.wait(SECONDS)

    def stop(self) -> int:
        """Ask it to stop, and wait."""
        self.process.terminate()
        return self.process.wait(SECONDS)

    def freeze(self) -> None:
        """Let it stand still, its connections open; return once it does."""
        self.signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def thaw(self) -> None:
        """Let it go on."""
        self.signal(signal.SIGCONT)

    @property
    def gauges(self) -> dict[str, float]:
        """Its metrics by name, those without labels; {} where it does not answer."""
        status, page = self.get("/metrics")
        found = GAUGE.findall(page) if status == OK else []
        return {name: float(value) for name, value in found}

    @property
    def in_charge(self) -> set[str]:
        """The works that it does; {} where it stands by for them."""
        return set(IN_CHARGE.findall(self.get("/metrics")[1]))

    def get(self, path: str) -> tuple[int, str]:
        """Return status and body of one of its plain routes; 0 where it does not answer."""
        try:
            answer = httpx.get(self.url + path, timeout=10)
        except httpx.TransportError as unreachable:
            return 0, str(unreachable)
        return answer.status_code, answer.text


@dataclass
class Fleet:
    """An installation's processes on this machine. nginx knows the living instances of each service."""

    folder: Path
    kafka: str
    mongodb: str
    database: str
    more: dict[str, str] = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)
    nginx: Nginx = field(init=False)

    def __post_init__(self) -> None:
        self.nginx = Nginx(self.folder / "nginx", self.instances)

    @property
    def url(self) -> str:
        """The one URL of all services."""
        return self.nginx.url

    @property
    def instances(self) -> dict[str, list[str]]:
        """The addresses of the living instances of each service."""
        living = {service: self.of("serve", service) for service in SERVICES}
        return {service: [urlsplit(it.url).netloc for it in found if it.url] for service, found in living.items()}

    @property
    def environment(self) -> dict[str, str]:
        """What every process is started with."""
        own = {
            "AUTOLEARN_MODE": "distributed",
            "AUTOLEARN_KAFKA": self.kafka,
            "AUTOLEARN_MONGODB": self.mongodb,
            "AUTOLEARN_DATABASE": self.database,
            "AUTOLEARN_DATA": str(self.folder),
        }
        return os.environ | own | {"NO_COLOR": "1"} | self.more

    def begin(self, *command: str) -> Member:
        """Start a process; it may not answer yet."""
        log = self.folder / f"{'-'.join(command)}-{len(self.members)}.log"
        member = Member.begin((*command, "--port", "0"), self.environment, log)
        self.members.append(replace(member, command=command))
        return self.members[-1]

    def start(self, *command: str) -> Member:
        """Start a process and wait until it answers."""
        return self.ready(self.begin(*command))

    def ready(self, member: Member) -> Member:
        """Wait until a process answers, and let nginx know of it."""
        member.ready()
        if member.command[0] == "serve":
            self.nginx.use(self.instances)
        return member

    def start_all(self, copies: int = 1) -> None:
        """Start what an installation needs, `copies` of each kind."""
        kinds = [f"{kind} {service}" for kind in ("work", "serve") for service in SERVICES]
        self.start_these(*(command for command in ("relay", "project", *kinds) for _ in range(copies)))

    def start_these(self, *commands: str) -> list[Member]:
        """Start processes at the same time; wait until all answer."""
        return [self.ready(member) for member in [self.begin(*command.split()) for command in commands]]

    def one(self, command: str) -> Member:
        """Return the first living process of a command."""
        return self.of(*command.split())[0]

    def of(self, *command: str) -> list[Member]:
        """Return the living processes of a command."""
        return [it for it in self.members if it.command == command and it.process.poll() is None]

    def run(self, *command: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run a command that ends, in the installation's environment."""
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *command],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert code in {None, done.returncode}, f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def client(self, name: str, *roles: str) -> Shell:
        """Add a client offline, and return its shell."""
        credentials = self.folder / f"{name}.json"
        given = [part for role in roles for part in ("--role", role)]
        self.run("client", "add", name, *given, "--offline", "--credentials-out", str(credentials), "--json")
        return Shell(self.url, credentials, self.folder, {"AUTOLEARN_MODE": "distributed"})

    def at(self, member: Member, shell: Shell) -> Shell:
        """Return a client's shell that asks one instance, past nginx."""
        return Shell(member.url, shell.credentials, shell.data, shell.more)

    def stop(self) -> None:
        """End every process, the followers last."""
        for member in sorted(self.members, key=lambda it: it.command[0] in {"relay", "project"}):
            if member.process.poll() is None:
                member.signal(signal.SIGCONT)
                member.process.terminate()
        for member in self.members:
            member.end()


def proxy_of(shell: Shell) -> BackendClient:
    """The Remote Proxy of a shell's user, in this process."""
    credentials = Credentials.read(shell.credentials)
    positions = Positions.of(shell.credentials, shell.url, credentials.client, credentials.key)
    return BackendClient(shell.url, credentials, positions)


@contextmanager
def fleet_on(folder: Path, kafka: str, mongodb: str, *, shared: bool = True) -> Iterator[Fleet]:
    """A fleet of no process yet, behind its nginx; what it leaves on shared servers goes with it."""
    fleet = Fleet(folder, kafka, mongodb, f"test-{uuid4().hex[:12]}")
    with serving(fleet):
        try:
            yield fleet
        finally:
            fleet.stop()
            if shared:
                drop_database(mongodb, fleet.database)
                delete_topics(kafka, f"{fleet.database}.")


@contextmanager
def serving(fleet: Fleet) -> Iterator[None]:
    """Put nginx in front of a fleet."""
    fleet.nginx.start()
    try:
        yield
    finally:
        fleet.nginx.stop()


def until(holds: Callable[[], Any], seconds: float = 60.0) -> None:
    """Wait until a condition holds."""
    end = monotonic() + seconds
    while not holds():
        assert monotonic() < end, "it did not come about in time"
        Event().wait(0.05)
