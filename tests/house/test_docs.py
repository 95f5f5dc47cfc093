"""Docs that cannot rot (after Datasette's test_docs.py): what a page names exists, and what exists is named."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

import cli.main
from server.settings import Settings
from tests.house.events_page import PAGE as EVENTS_PAGE
from tests.house.events_page import page as events_page
from tests.house.pages import anchors, commands, headings, links, pages, rows, section, shell_lines, text
from tests.house.tracked import ROOT, tracked

README = Path("README.md")
DECISIONS = Path("docs/decisions/README.md")
PATTERNS = {
    "Singleton", "Remote Proxy", "Forwarder-Receiver", "Remote Facade", "Data Transfer Object", "Session State",
    "Serialized LOB", "Pipeline", "Event Sourcing",
}  # fmt: skip
CALLS = [(path, call) for path in pages() for line in shell_lines(text(path)) for call in commands(line, "autolearn")]


def root() -> click.Group:
    """Return the command line's root."""
    return next(thing for thing in vars(cli.main).values() if isinstance(thing, click.Group))


def refused(command: click.Command, words: list[str], path: str = "autolearn") -> str | None:
    """Return why the command line would not understand these words; None where it would."""
    context = click.Context(command, info_name=path)
    try:
        _, rest, _ = command.make_parser(context).parse_args([*words])
    except click.UsageError as wrong:
        return f"{path}: {wrong.format_message()}"
    if not isinstance(command, click.Group) or not rest:
        return None
    below = command.get_command(context, rest[0])
    return refused(below, rest[1:], f"{path} {rest[0]}") if below else f"{path}: there is no {rest[0]!r}"


@pytest.mark.parametrize(("path", "call"), CALLS, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_commands_in_the_docs_exist(path: Path, call: list[str]) -> None:
    assert refused(root(), call) is None, path


def test_readme_shows_every_top_level_command_or_links_to_help() -> None:
    assert CALLS, "the pages show no command at all"


def test_make_targets_in_the_docs_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {call[0] for path in pages() for line in shell_lines(text(path)) for call in commands(line, "make") if call}
    assert named - targets == set()
    assert {"demo", "test", "install", "help"} <= targets


def test_settings_tables_equal_the_settings() -> None:
    prefix = str(Settings.model_config.get("env_prefix", ""))
    fields = {f"{prefix}{name}".upper() for name in Settings.model_fields}
    of_the_client = {
        name
        for path in tracked(".py")
        if path.parts[0] in {"autolearn", "cli"}
        for name in re.findall(r"AUTOLEARN_[A-Z_]*[A-Z]", text(path))
    }
    cells = [row[0] for path in pages() for row in rows(text(path))]
    assert {cell.strip("`") for cell in cells if re.fullmatch(r"`AUTOLEARN_[A-Z_]+`", cell)} == fields | of_the_client


def test_events_page_equals_the_registry() -> None:
    assert EVENTS_PAGE.read_text(encoding="utf-8") == events_page(), "run: make events"


def test_patterns_live_where_the_readme_says() -> None:
    table = [row for row in rows(section(text(README), "Patterns")) if row[0] in PATTERNS]
    assert {row[0] for row in table} == PATTERNS
    named = {place.rstrip("/") for row in table for place in re.findall(r"`([\w./-]+/[\w./-]*)`", row[1])}
    assert named
    assert {place for place in named if not (ROOT / place).exists()} == set()


def test_folders_of_the_map_exist() -> None:
    folders = {name for row in rows(section(text(README), "Map")) for name in re.findall(r"^`([\w./-]+)`$", row[0])}
    assert {"domain/", "commands/", "projections/", "adapters/", "cli/", "tests/"} <= folders
    assert {name for name in folders if not (ROOT / name).exists()} == set()


def test_links_lead_somewhere() -> None:
    assert [f"{path}: {target}" for path in pages() for target in links(path) if not target.exists()] == []


def test_links_to_a_heading_lead_there() -> None:
    missing = [
        f"{path}: {page.name}#{heading}"
        for path in pages()
        for page, heading in anchors(path)
        if heading not in headings(page)
    ]
    assert missing == []


def test_paths_in_the_docs_exist() -> None:
    folders = "|".join(sorted({path.parts[0] for path in tracked(".py") if len(path.parts) > 1}))
    named = [(path, place) for path in pages() for place in re.findall(rf"`((?:{folders})/[\w./-]*)`", text(path))]
    named += [(path, page) for path in tracked(".py") for page in re.findall(r"docs/[\w./-]+\.md", text(path))]
    assert len(named) > 50
    assert [f"{path}: {place}" for path, place in named if not (ROOT / place).exists()] == []


def test_where_to_change_what_leads_there() -> None:
    """Each path is there, and each name stands in a file of its row."""
    table = rows(section(text(Path("docs/architecture.md")), "Where to change what"))[2:]
    assert len(table) > 10
    for row in table:
        spans = [span for span in re.findall(r"`([^`]+)`", " ".join(row)) if not span.startswith("make ")]
        paths = [Path(span) for span in spans if "/" in span or "." in span]
        assert [str(path) for path in paths if not (ROOT / path).exists()] == [], row[0]
        code = "".join(text(path) for path in paths if (ROOT / path).is_file())
        assert [span for span in spans if "/" not in span and "." not in span and span not in code] == [], row[0]


def test_every_page_is_linked() -> None:
    linked = {target for path in pages() for target in links(path)}
    assert [str(path) for path in pages() if path != README and (ROOT / path).resolve() not in linked] == []


def test_decisions_are_listed_in_order() -> None:
    found = sorted(path.name for path in pages() if path.parent == DECISIONS.parent and path != DECISIONS)
    assert [link.name for link in links(DECISIONS) if link.parent == (ROOT / DECISIONS).parent] == found
    assert [name for name in found if not re.fullmatch(r"\d\d-[a-z0-9-]+\.md", name)] == []
    for name in found:
        assert re.findall(r"^## (.+)$", text(DECISIONS.parent / name), re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequences",
        ], name


def test_the_checks_can_fail() -> None:
    line = "NO_COLOR=1; .venv/bin/autolearn --json history | jq . > out && autolearn show x # why"
    assert commands(line, "autolearn") == [["--json", "history"], ["show", "x"]]
    assert "there is no 'no-such'" in (refused(root(), ["no-such"]) or "")
    assert refused(root(), ["train", "iris", "svm", "--no-such-option"])
    assert shell_lines("```sh\na \\\nb\n```\n```console\n$ c\nout\n```\n") == ["a  b", "c"]
