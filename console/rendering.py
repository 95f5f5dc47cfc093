r"""Templates: every value is escaped, and characters that are invisible are shown as `\x1b`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from autolearn.printable import visible_lines
from console import formats

TEMPLATES = Path(__file__).parent / "templates"
NAVIGATION = (
    ("Home", "/"),
    ("Data sets", "/datasets"),
    ("Train", "/train"),
    ("Searches", "/searches"),
    ("Session", "/session"),
    ("History", "/history"),
    ("Predictions", "/predictions"),
    ("Compare", "/compare"),
    ("Log", "/log"),
    ("Time machine", "/time-machine"),
    ("Health", "/health"),
)


def render(template: str, **facts: Any) -> str:
    return _environment().get_template(template).render(**facts)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_made_visible,
    )
    environment.filters |= formats.FILTERS
    environment.globals["navigation"] = NAVIGATION
    return environment


def _made_visible(value: Any) -> Any:
    if value is None:
        return ""
    return visible_lines(value) if isinstance(value, str) and not isinstance(value, Markup) else value
