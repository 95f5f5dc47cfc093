"""The compose file's AutoLearn services as processes of this machine, with their commands and their environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.roles import SERVICES
from tests.deploy.compose import compose, ours, replicas
from tests.deploy.nginx import Nginx
from tests.end_to_end.fleet import Member
from tests.end_to_end.place import SECONDS, Shell
from tests.servers.process import free_port


@dataclass
class Cluster:
    """`docker compose up`, without containers: real processes, the given servers, nginx in front of all."""

    folder: Path
    kafka: str
    mongodb: str
    database: str
    scale: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the file, and lay out the processes."""
        self.file = compose(
            {"AUTOLEARN_MASTER_KEY_FILE": str(self.folder / "master.key"), "AUTOLEARN_DATABASE": self.database}
        )
        self.ports = {
            name: [free_port() for _ in range(self.scale.get(name, replicas(it)))]
            for name, it in ours(self.file).items()
        }
        addresses = {service: [f"127.0.0.1:{port}" for port in self.ports[service]] for service in SERVICES}
        self.nginx = Nginx(self.folder / "nginx", addresses, self.file["services"]["nginx"]["environment"])
        self.members: dict[str, list[Member]] = {}

    def environment(self, service: Mapping[str, Any]) -> dict[str, str]:
        """Return a service's environment, names of the containers' world replaced by those of this machine."""
        here = {
            service["environment"]["AUTOLEARN_MONGODB"]: self.mongodb,
            "kafka:9092": self.kafka,
            "/run/secrets/master_key": str(self.folder / "master.key"),
            "/var/lib/autolearn": str(self.folder),
        }
        own = {name: str(value) for name, value in service["environment"].items()}
        assert own["AUTOLEARN_LISTEN"] == "0.0.0.0"  # noqa: S104 - that is what must not be used here
        own["AUTOLEARN_LISTEN"] = "127.0.0.1"
        for there, value in here.items():
            assert any(there in it for it in own.values()), there
            own = {name: it.replace(there, value) for name, it in own.items()}
        bare = {name: it for name, it in os.environ.items() if not name.startswith("AUTOLEARN_")}
        return bare | own | {"NO_COLOR": "1"}

    def admin(self, *words: str) -> Any:
        """Do what `docker compose run --rm admin WORDS` does; return the object on standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *words, "--json"],
            env=self.environment(self.file["services"]["admin"]),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def client(self, name: str, *roles: str) -> Shell:
        """Add a client, and return its shell; what `admin` prints is the credentials' file."""
        given = [part for role in roles for part in ("--role", role)]
        credentials = self.folder / f"{name}.json"
        credentials.touch(mode=0o600)
        credentials.write_text(json.dumps(self.admin("client", "add", name, *given, "--offline")))
        return Shell(self.nginx.url, credentials, self.folder / name)

    def start(self) -> None:
        """Start all, then what they answer through."""
        for name, service in ours(self.file).items():
            for port in self.ports[name]:
                command = [word.replace("8420", str(port)) for word in service["command"]]
                log = self.folder / f"{name}-{port}.log"
                self.members.setdefault(name, []).append(Member.begin(command, self.environment(service), log))
        for member in self._all():
            member.ready()
        self.nginx.start()

    def stop(self) -> None:
        """Stop all."""
        self.nginx.stop()
        for member in self._all():
            member.process.terminate()
        for member in self._all():
            member.end()

    def is_healthy(self, name: str) -> bool:
        """Run the health check of a service against its first process."""
        program, *arguments = self.file["services"][name]["healthcheck"]["test"][1:]
        port = self.ports[name][0]
        here = [it.replace("8420", str(port)) for it in arguments]
        done = subprocess.run(
            [sys.executable if program == "python" else program, *here], capture_output=True, check=False
        )
        return done.returncode == 0

    def _all(self) -> list[Member]:
        return [member for members in self.members.values() for member in members]
