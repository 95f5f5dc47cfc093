"""The lines that would show the same as a page: one for the command line, one for Python."""

from __future__ import annotations

from shlex import quote


def cli_line(command: str, *arguments: str, **options: str | int | bool | None) -> str:
    """Return a call of the command line; options that are None, False or empty are left out."""
    words = ["autolearn", *command.split(), *(quote(it) for it in arguments)]
    for name, value in options.items():
        if value is True:
            words.append(f"--{name.replace('_', '-')}")
        elif value not in (None, False, ""):
            words += [f"--{name.replace('_', '-')}", quote(str(value))]
    return " ".join(words)


def python_line(method: str, *arguments: str, **options: str | int | bool | None) -> str:
    """Return a call of the client package; options that are None, False or empty are left out."""
    given = [repr(it) for it in arguments]
    given += [f"{name}={value!r}" for name, value in options.items() if value not in (None, False, "")]
    return f"backend.{method}({', '.join(given)})"
