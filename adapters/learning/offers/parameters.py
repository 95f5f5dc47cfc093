"""What an estimator's own docstring says of each parameter, in a few words."""

from __future__ import annotations

import inspect
import re
from itertools import dropwhile, takewhile

LONGEST = 120
HEAD = re.compile(r"(?P<names>[A-Za-z_]\w*(?:, *[A-Za-z_]\w*)*) *:.*")
MARKUP = re.compile(r":\w+:`(?:[^`<]*<)?~?([^`>]*)>?`|`{1,2}")


def explain_parameters(estimator: type) -> dict[str, str]:
    """Return name -> the first sentence about it, from the section `Parameters` in NumPy's style; none, no entry."""
    lines = (inspect.getdoc(estimator) or "").splitlines()
    found: dict[str, str] = {}
    names: list[str] = []
    text: list[str] = []
    for line in [*_section(lines, "Parameters"), "end"]:
        if line[:1].isspace() or not line:
            text.append(line.strip())
            continue
        found |= dict.fromkeys(names, _first_sentence(text)) if any(text) else {}
        head = HEAD.fullmatch(line)
        names, text = (re.split(r", *", head["names"]) if head else []), []
    return found


def _section(lines: list[str], title: str) -> list[str]:
    """Return the lines below an underlined title, up to the next one."""
    titles = [place for place, line in enumerate(lines[1:]) if line and set(line) == {"-"}]
    begin = next((place for place in titles if lines[place] == title), None)
    if begin is None:
        return []
    end = next((place for place in titles if place > begin), len(lines))
    return lines[begin + 2 : end]


def _first_sentence(text: list[str]) -> str:
    paragraph = " ".join(takewhile(bool, dropwhile(lambda line: not line, text)))
    plain = MARKUP.sub(lambda match: match[1] or "", paragraph)
    sentence = re.split(r"(?<!i\.e\.)(?<!e\.g\.)(?<=[.:]) ", " ".join(plain.split()), maxsplit=1)[0].rstrip(".:")
    return sentence if len(sentence) <= LONGEST else f"{sentence[: LONGEST - 1].rstrip()}…"
