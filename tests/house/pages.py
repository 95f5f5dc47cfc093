"""The repository's Markdown pages: their links, tables and shell blocks."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.house.tracked import ROOT, tracked

OPERATORS = {"|", "||", "&&", ";", "&", ">", ">>", "<", "(", ")"}
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
ROW = re.compile(r"^\|(.+)\|\s*$", re.MULTILINE)


def pages() -> list[Path]:
    """Return all Markdown pages, relative to the root."""
    return [path for path in tracked(".md") if path.suffix == ".md"]


def text(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def links(path: Path) -> list[Path]:
    """Return the files of the repository that a page links to."""
    targets = [
        target for target in LINK.findall(text(path)) if "://" not in target and not target.startswith("mailto:")
    ]
    return [(ROOT / path.parent / target).resolve() for target in targets]


def anchors(path: Path) -> list[tuple[Path, str]]:
    """Return the headings that a page links to, each with the file that should have it."""
    found = re.findall(r"\]\(([^)#\s:]*\.md)?#([^)\s]+)\)", text(path))
    return [((ROOT / path.parent / target).resolve() if target else ROOT / path, heading) for target, heading in found]


def headings(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in found}


def rows(markdown: str) -> list[list[str]]:
    """Return the cells of all table rows."""
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)] for row in ROW.findall(markdown)]


def section(markdown: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one of the same depth."""
    found = re.search(rf"^(#+) {re.escape(heading)}\s*$(.*?)(?=^\1 |\Z)", markdown, re.MULTILINE | re.DOTALL)
    return found.group(2) if found else ""


def shell_lines(markdown: str) -> list[str]:
    """Return the logical lines of the shell blocks: continued lines joined, prompts and lines of output left out.

    A block with a prompt (`$ `) holds output too; one without holds commands only.
    """
    found: list[str] = []
    for block in re.findall(r"^```(?:sh|bash|console|shell)\n(.*?)^```", markdown, re.MULTILINE | re.DOTALL):
        lines = block.replace("\\\n", " ").splitlines()
        prompted = [line[2:] for line in lines if line.startswith("$ ")]
        found += prompted or lines
    return found


def commands(line: str, program: str) -> list[list[str]]:
    """Return the arguments of each call of `program` in a shell line; pipes, redirections, comments are left out."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    calls: list[list[str]] = [[]]
    redirected = False
    for word in lexer:
        if set(word) <= set("".join(OPERATORS)):
            redirected = ">" in word or "<" in word
            if not redirected:
                calls.append([])
        elif not redirected:
            calls[-1].append(word)
        else:
            redirected = False
    named = [[*call] for call in calls if call and call[0].rpartition("/")[2] == program]
    return [call[1:] for call in named]
