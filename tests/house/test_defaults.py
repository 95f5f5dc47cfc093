"""Defaults and limits stand once in the code; help and docs repeat them in their own words, and cannot differ."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from adapters.http.routes.request_schemas import HistorySearch, LogPage, NewTraining
from autolearn.locations import DEFAULT_PORT, DEFAULT_URL
from autolearn.protocol.tokens import VALID_SECONDS
from cli.main import cli
from commands.application import SYNC_SECONDS
from commands.training.request_training import DEFAULT_TEST_SIZE
from domain.values import MAX_ATTEMPTS, MAX_EXPERIMENTS_OF_A_SESSION, MAX_SEED
from projections.ports import MOST_PAGE_ROWS, PAGE_ROWS
from tests.house.pages import text

ORDINALS = {2: "second", 3: "third", 4: "fourth", 5: "fifth"}
SENTENCES = {  # of the docs, by the page
    "README.md": [
        f"pages of {PAGE_ROWS} rows (`--limit` allows up to {MOST_PAGE_ROWS:,})",
        f"A call waits up to {SYNC_SECONDS:.0f} s",
        f"test_size    {DEFAULT_TEST_SIZE}",
        DEFAULT_URL,
    ],
    "docs/architecture.md": [
        f"valid for {VALID_SECONDS} s",
        f"up to {SYNC_SECONDS:.0f} s",
        f"After the {ORDINALS[MAX_ATTEMPTS]} attempt",
    ],
    "docs/limits.md": [f"{MOST_PAGE_ROWS:,} rows", f"{MAX_EXPERIMENTS_OF_A_SESSION} experiments"],
    "docs/operations.md": [f"default {DEFAULT_PORT} for `serve`"],
    "docs/settings.md": [DEFAULT_URL],
    "deploy/nginx/autolearn.conf.template": [
        f"A token is valid for {VALID_SECONDS} s",
        f"a command answers within {SYNC_SECONDS:.0f} s",
    ],
    "autolearn/transport.py": [f"a command answers within {SYNC_SECONDS:.0f} s"],
    "docker-compose.yml": [f"${{AUTOLEARN_PORT:-{DEFAULT_PORT}}}"],
}


def option(command: str, name: str) -> click.Option:
    found = cli.get_command(click.Context(cli), command)
    assert found is not None
    return next(it for it in found.params if isinstance(it, click.Option) and it.name == name)


def upper_bound(option: click.Option) -> float | None:
    assert isinstance(option.type, (click.IntRange, click.FloatRange))
    return option.type.max


def test_help_says_what_the_backend_does_without_an_option() -> None:
    schemas: dict[str, tuple[str, type[BaseModel]]] = {
        "train": ("test_size", NewTraining),
        "history": ("limit", HistorySearch),
        "log": ("limit", LogPage),
    }
    for command, (name, schema) in schemas.items():
        assert f"[default: {schema.model_fields[name].default}]" in (option(command, name).help or ""), command


def test_the_command_line_refuses_what_the_backend_refuses() -> None:
    limits = [upper_bound(option(command, "limit")) for command in ("history", "log")]
    assert limits == [MOST_PAGE_ROWS] * 2
    assert f"up to {MOST_PAGE_ROWS:,}" in (option("history", "limit").help or "")
    assert upper_bound(option("train", "seed")) == MAX_SEED


@pytest.mark.parametrize(("page", "sentence"), [(page, it) for page, some in SENTENCES.items() for it in some])
def test_the_docs_say_what_the_code_does(page: str, sentence: str) -> None:
    says = re.sub(r"\s*\n\s*", " ", text(Path(page))) + text(Path(page))
    assert [it for it in [sentence] if it not in says] == [], page
