"""What may import what, beyond import-linter's contracts: allow-lists, and what loading the backend really loads."""

from __future__ import annotations

import ast
import subprocess
import sys

from tests.house.tracked import ROOT, modules, parsed, tracked

# What a layer may import beside the standard library and the layers below it.
ALLOWED = {
    "domain": {"domain", "eventsourcing.domain", "pydantic", "packaging.version"},
    "commands": {"domain", "commands", "packaging.version"},
    "projections": {"domain", "projections", "lark", "packaging.version", "pydantic_core"},
    "autolearn": {"autolearn", "cryptography", "pandas"},  # pandas in annotations: see what importing it loads, below
}
HEAVY = {"sklearn", "pandas", "numpy", "pyarrow", "scipy", "skops"}
# the forkserver loads preload, tests and tools run tasks inline; nothing else of the backend may touch these
TASKS_ONLY = ("adapters.learning", "adapters.tasks.child", "tests.tasks.inline", "adapters.tasks.preload")
# `autolearn --help` within 120 ms leaves no room for these.
SLOW_TO_LOAD = {"fastapi", "uvicorn", "pydantic", "eventsourcing", "lark", "asyncio", *HEAVY}
IMPURE = {"time", "random", "secrets", "os", "io", "pathlib", "socket", "threading"}
LAYERS = [path for path in tracked(".py") if path.parts[0] in ALLOWED]


def imported(tree: ast.Module) -> set[str]:
    """Return the dotted names of all imported modules."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def is_allowed(module: str, allowed: set[str]) -> bool:
    root = module.partition(".")[0]
    return root in sys.stdlib_module_names or any(module == name or module.startswith(f"{name}.") for name in allowed)


def loaded_by(names: list[str]) -> set[str]:
    """Return the top-level modules that are there after importing these in a fresh process."""
    code = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, *names], cwd=ROOT, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_inner_layers_import_only_what_is_listed() -> None:
    names = [(path, name) for path in LAYERS for name in sorted(imported(parsed(path)))]
    assert [f"{path}: {name}" for path, name in names if not is_allowed(name, ALLOWED[path.parts[0]])] == []


def test_domain_has_no_clock_no_io_no_randomness() -> None:
    names = [(path, name) for path in LAYERS if path.parts[0] == "domain" for name in imported(parsed(path))]
    assert [f"{path}: {name}" for path, name in names if name in IMPURE] == []


def test_backend_loads_no_learning_library() -> None:
    backend = [name for name in modules() if not name.startswith(TASKS_ONLY)]
    assert loaded_by(backend) & HEAVY == set()


def test_client_loads_the_standard_library_and_cryptography_alone() -> None:
    client = [name for name in modules() if name.partition(".")[0] == "autolearn"]
    foreign = loaded_by(client) - loaded_by(["cryptography.fernet"]) - set(sys.stdlib_module_names)
    assert foreign == {"autolearn"}


def test_command_line_starts_light() -> None:
    assert loaded_by(["cli.main"]) & SLOW_TO_LOAD == set()


def test_imports_are_found() -> None:
    assert imported(ast.parse("import a.b\nfrom c import d\ndef f():\n    import e")) == {"a.b", "c", "e"}
    assert not is_allowed("pydantic_settings", {"pydantic"})


def test_instances_are_forked_with_their_modules_loaded_and_no_thread_running() -> None:
    code = (
        "import sys, threading; from server.compose import import_distributed; import_distributed();"
        "import server.programs; print(threading.active_count(), *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True)
    threads, *loaded = done.stdout.split()
    assert threads == "1"
    assert {"pymongo", "confluent_kafka", "fastapi", "uvicorn"} <= set(loaded)
