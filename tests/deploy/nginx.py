"""The real nginx as a process of a test's own, with the compose file's template, filled in as its image does it."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event

import pytest

from tests.house.tracked import ROOT
from tests.servers.process import Server

TEMPLATE = ROOT / "deploy" / "nginx" / "autolearn.conf.template"
VARIABLES = ("CATALOG", "TRAINING", "EVALUATION", "SESSION", "STORAGE", "RESOLVER", "LISTEN")
# What the image's own nginx.conf has around it, with one worker and all files in one folder; and a name that tells
# which configuration answers.
AROUND = """
daemon off; worker_processes 1; {user} pid {folder}/pid; error_log stderr warn; worker_rlimit_nofile 1024;
events {{ worker_connections 256; }}
http {{
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi; access_log off;
    {upstreams}
    include {folder}/conf.d/*.conf;
    server {{ listen 127.0.0.1:{port}; server_name {version_host}; return 200 "{version}"; }}
}}
"""
VERSION_HOST = "version.test"
NOBODY = "127.0.0.1:9"
RELOAD_SECONDS = 30.0


class Nginx(Server):
    """nginx in front of instances of each service (`host:port`)."""

    ends_by = signal.SIGTERM  # or else its worker would live on

    def __init__(
        self,
        folder: Path,
        instances: Mapping[str, Sequence[str]],
        environment: Mapping[str, str] | None = None,
        template: str | None = None,
    ) -> None:
        super().__init__(folder)
        self.instances, self.environment, self.version = instances, environment or {}, 0
        self.template = template or TEMPLATE.read_text(encoding="utf-8")

    @property
    def url(self) -> str:
        """Its one URL."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """Write the configuration and return the command line."""
        self._configure()
        return [nginx(), "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]

    def answers(self) -> bool:
        """Whether it answers by the newest configuration."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/", headers={"Host": VERSION_HOST})
            return connection.getresponse().read() == str(self.version).encode()
        finally:
            connection.close()

    def use(self, instances: Mapping[str, Sequence[str]]) -> None:
        """Put other instances behind it, as `nginx -s reload` does: no call that is under way notices."""
        self.instances, self.version = instances, self.version + 1
        self._configure()
        self._running().send_signal(signal.SIGHUP)
        end = time.monotonic() + RELOAD_SECONDS
        while not self.answers():
            assert time.monotonic() < end, f"nginx does not take its configuration:\n{self.log[-2000:]}"
            Event().wait(0.01)

    def _configure(self) -> None:
        (self.folder / "conf.d").mkdir(exist_ok=True)
        own = {service.upper(): f"{service}_here" for service in self.instances}
        own |= {"LISTEN": f"127.0.0.1:{self.port}", "RESOLVER": "127.0.0.1"}
        filled = substituted(self.template, {**self.environment, **own})
        (self.folder / "conf.d" / "autolearn.conf").write_text(filled)
        around = AROUND.format(
            folder=self.folder,
            user="" if os.geteuid() else "user root;",  # who else may enter a folder of a test
            port=self.port,
            upstreams="\n".join(map(self._upstream, self.instances)),
            version_host=VERSION_HOST,
            version=self.version,
        )
        (self.folder / "nginx.conf").write_text(around)

    def _upstream(self, service: str) -> str:
        """What the resolver gives in the cluster: all addresses of a name, none remembered as dead."""
        servers = "".join(f"server {address} max_fails=0; " for address in self.instances[service] or [NOBODY])
        return f"upstream {service}_here {{ {servers}}}"


def substituted(template: str, environment: Mapping[str, str]) -> str:
    """Fill a template in with envsubst, and the variables that are set, as `20-envsubst-on-templates.sh` does it."""
    names = " ".join(f"${{{name}}}" for name in environment)
    program = shutil.which("envsubst") or pytest.skip("envsubst (Debian's package gettext-base) is not here")
    done = subprocess.run(
        [program, names], input=template, env=dict(environment), text=True, capture_output=True, check=True
    )
    return done.stdout


def nginx() -> str:
    """Return the program; without it the test is skipped, in CI it fails."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("nginx is not here", pytrace=False)
    return found or pytest.skip("nginx (Debian's package) is not here")
