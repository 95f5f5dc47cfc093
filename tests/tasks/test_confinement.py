"""A hostile model finds no key, no log, no network and no other process; an honest one finds what it needs."""

from __future__ import annotations

import os
import platform
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.files.blobs import FileBlobs
from adapters.tasks import landlock, seccomp
from adapters.tasks.confinement import Confinement
from adapters.tasks.launcher import ProcessLauncher
from adapters.tasks.running import Limits
from commands.ports import TaskBroken, TaskDone, TaskSpec

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        landlock.abi() < landlock.SCOPES_SINCE or platform.machine() not in seccomp.MACHINES,
        reason="this kernel has no Landlock with scopes (Linux 6.12), or this machine no filter",
    ),
]
Try = Callable[[str], str]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with its secrets, in a folder that is on the import path."""
    folder = tmp_path_factory.mktemp("site") / "data"
    folder.mkdir()
    for name in ("master.key", "credentials.json", "events.db", "communications.db"):
        (folder / name).write_text("secret")
    return folder


@pytest.fixture(scope="module")
def launcher(data: Path) -> Iterator[ProcessLauncher]:
    scope: dict[str, Any] = {}
    source = Path(__file__).with_name("prying_plugin.py").read_text()
    exec(compile(source, "prying_plugin.py", "exec"), scope)  # noqa: S102 - tests are not importable by name here
    scope["install"](data.parent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(data.parent))
        patch.syspath_prepend(str(data.parent))
        patch.setenv("AUTOLEARN_MONGODB", "mongodb://user:password@host")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "password of the store of blobs")
        made = ProcessLauncher(
            (data / "blobs").as_uri(),
            str(data / "scratch"),
            slots=1,
            limits=Limits(deadline=3600, memory=4 << 30),
            confinement=Confinement("require", (str(data), str(data / "master.key"))),
        )
        FileBlobs(str(data / "blobs"))
        made.prepare()
    yield made
    made.close()


@pytest.fixture(scope="module")
def iris(launcher: ProcessLauncher) -> str:
    stored = launcher.start(TaskSpec("ingest", {"builtin": "iris", "target": "species"})).result()
    assert isinstance(stored, TaskDone), stored
    return str(stored.facts["blob"]["sha256"])


@pytest.fixture
def tells(run: Callable[[str], TaskDone | TaskBroken], data: Path, iris: str, socket_enabled: None) -> Iterator[Try]:
    """Run code in a task and return what it told or raised; the names in braces are places and processes of ours."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        names = {
            "data": data,
            "blob": data / "blobs" / iris[:2] / iris[2:4] / iris,
            "port": listening.getsockname()[1],
            "backend": os.getpid(),
        }

        def tells(code: str) -> str:
            outcome = run(code.format(**names))
            assert isinstance(outcome, TaskBroken), f"it was let: {code}"
            return outcome.detail

        yield tells


@pytest.mark.parametrize(
    "code",
    [
        "open('{data}/master.key').read()",
        "open('{data}/credentials.json').read()",
        "open('{data}/events.db', 'rb').read()",
        "open('{data}/communications.db', 'r+b')",
        "os.listdir('{data}')",
        "os.listdir('{data}/scratch')",
        "os.listdir(os.path.expanduser('~root'))",
        "os.listdir('/')",
        "os.listdir('/tmp')",
        "open('/etc/shadow').read()",
        "open('{data}/new', 'w')",
        "open('{data}/../prying_plugin_model.py', 'a')",
        "open('/tmp/new', 'w')",
        "open('{blob}', 'a')",
        "os.unlink('{blob}')",
        "os.chmod('{blob}', 0o600); os.truncate('{blob}', 0)",
        "os.rename('{blob}', 'mine')",
        "open('mine', 'w'); os.rename('mine', '{blob}')",
        "open('{data}/blobs/mine', 'w').write('x')",
        "os.symlink('/etc/passwd', '{data}/blobs/link')",
        "os.symlink('{data}/master.key', 'mine'); open('mine').read()",
        "os.link('{data}/master.key', 'mine')",
        "os.rename('{data}/master.key', 'mine')",
        "os.unlink('{data}/events.db')",
        "import sqlite3; sqlite3.connect('{data}/events.db').execute('select * from sqlite_schema')",
        "subprocess.run(['cat', '{data}/master.key'], check=True, stderr=subprocess.DEVNULL)",
        "socket.create_connection(('127.0.0.1', {port}))",
        "socket.socket(socket.AF_INET6)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_UNIX)",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
        "os.kill({backend}, 0)",
        "os.kill(os.getppid(), 0)",
        "signal.pidfd_send_signal(os.pidfd_open({backend}), 0)",
        "system('ptrace', 16, {backend}, 0, 0)",
        "system('process_vm_readv', {backend}, None, 0, None, 0, 0)",
        "system('syscall', 425, 1, None)",
        "system('syscall', 438, os.pidfd_open(os.getppid()), 0, 0)",
        "system('unshare', 0x10000000)",
        "open('/proc/{backend}/mem', 'rb')",
        "open('/proc/{backend}/environ', 'rb').read()",
        "os.readlink('/proc/{backend}/fd/0')",
        "open('/proc/%d/environ' % os.getppid(), 'rb').read()",
        "open('/proc/{backend}/root{data}/master.key').read()",
        "os.chown('{blob}', 65534, 65534)",
        "os.chmod('{data}/master.key', 0o644)",
        "os.chmod('{data}', 0o777)",
        "os.chmod('master.key', 0o644, dir_fd=os.open('{data}', os.O_PATH))",
        "os.chmod(f'/proc/self/fd/{{os.open(\"{data}/master.key\", os.O_PATH)}}', 0o644)",
        "system('syscall', 452, -100, b'{data}/master.key', 0o644, 0)",
        "os.chown('{data}/master.key', 65534, 65534, follow_symlinks=False)",
        "os.setxattr('{data}/events.db', 'user.mark', b'x')",
        "import resource; resource.prlimit({backend}, resource.RLIMIT_CORE)",
        "import resource; resource.prlimit(os.getppid(), resource.RLIMIT_CORE, (0, 0))",
        "a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM); a.connect('/dev/log')",
        "socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)",
        "os.setsid()",
        "os.setpgid(0, 0)",
        "subprocess.Popen(['sleep', '600'], start_new_session=True)",
        "system('shmget', 4711, 4096, 0o1600)",
        "system('setuid', 65534); os.setgroups([])",
    ],
)
def test_what_a_task_may_not_do(tells: Try, code: str) -> None:
    said = tells(code)
    denied = ("PermissionError", "Operation not permitted", "Invalid cross-device link", "unable to open database file")
    assert any(word in said for word in (*denied, "returned non-zero exit status")), said


def test_nothing_came_of_any_of_it(data: Path, iris: str, launcher: ProcessLauncher) -> None:
    assert {path.name for path in data.iterdir()} == {
        *("master.key", "credentials.json", "events.db", "communications.db", "blobs", "scratch")
    }
    assert {(data / name).read_text() for name in ("master.key", "credentials.json", "events.db")} == {"secret"}
    assert FileBlobs(str(data / "blobs")).check(iris) is None


def test_it_inherits_no_descriptor_but_its_answer_and_the_log(tells: Try) -> None:
    links = "[os.path.realpath('/proc/self/fd/' + it) for it in os.listdir('/proc/self/fd')]"
    open_files = tells(f"told = repr({links})")
    assert "events.db" not in open_files
    assert "socket:" not in open_files


def test_it_can_gain_nothing_and_leaves_no_core_dump(tells: Try) -> None:
    names = ("NoNewPrivs", "CapEff", "CapPrm", "Seccomp")
    status = tells("told = ' '.join(open('/proc/self/status').read().split())")
    assert [status.split(f"{name}: ")[1].split()[0] for name in names] == ["1", "0" * 16, "0" * 16, "2"]
    dumps = "import resource; told = f'{{resource.getrlimit(resource.RLIMIT_CORE)}} {{ctypes.CDLL(None).prctl(3)}}'"
    assert "(0, 0) 0" in tells(dumps)


def test_no_variable_has_a_secret(tells: Try) -> None:
    assert "password" not in tells("told = repr(dict(os.environ))")


@pytest.mark.parametrize(
    "code",
    [
        "pass",
        "tempfile.NamedTemporaryFile().write(b'x'); tempfile.mkdtemp(); open('here', 'w').write('x')",
        "assert tempfile.gettempdir() == os.getcwd() == os.path.expanduser('~')",
        "subprocess.run([sys.executable, '-c', 'import json'], check=True)",
        "subprocess.run(['true'], check=True, stdin=subprocess.DEVNULL)",
        "import joblib; assert joblib.Parallel(n_jobs=1)(joblib.delayed(abs)(x) for x in (-1, 2)) == [1, 2]",
        "import joblib; assert joblib.Parallel(n_jobs=2)(joblib.delayed(abs)(x) for x in (-1, 2)) == [1, 2]",
        "import multiprocessing; a, b = multiprocessing.Pipe(); a.send(1); assert b.recv() == 1",
        "threads = [threading.Thread(target=abs, args=(1,)) for _ in range(4)]; [it.start() for it in threads]",
        "os.kill(os.getpid(), 0); child = subprocess.Popen(['sleep', '60']); child.terminate(); child.wait()",
        "import pandas as pd; pd.DataFrame(dict(a=[1])).to_parquet('x.parquet'); pd.read_parquet('x.parquet')",
        "import datetime; datetime.datetime.now().astimezone(); os.cpu_count(); open('/proc/cpuinfo').read()",
        "import asyncio; asyncio.run(asyncio.sleep(0))",
        "import pwd; pwd.getpwuid(os.getuid())",
        "import sqlite3; sqlite3.connect('mine.db').execute('create table t(x)')",
        "import ctypes.util; ctypes.CDLL('libc.so.6').getpid()",
        "os.urandom(8); open('/dev/null', 'w').write('x')",
        "import resource; resource.setrlimit(resource.RLIMIT_CORE, resource.getrlimit(resource.RLIMIT_CORE))",
        "a, b = socket.socketpair(); a.send(b'x'); b.recv(1)",
        "mine = os.open('mine', os.O_CREAT); os.fchmod(mine, 0o400); assert os.stat('mine').st_mode & 0o777 == 0o400",
    ],
)
def test_what_a_task_needs(run: Callable[[str], TaskDone | TaskBroken], code: str) -> None:
    outcome = run(code)
    assert isinstance(outcome, TaskDone), outcome


def test_whoever_stores_the_same_bytes_later_is_content(launcher: ProcessLauncher, iris: str) -> None:
    stored = launcher.start(TaskSpec("ingest", {"builtin": "iris", "target": "species"})).result()
    assert isinstance(stored, TaskDone), stored
    assert stored.facts["blob"]["sha256"] == iris
