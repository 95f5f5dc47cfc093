"""The border to the user: whatever goes wrong becomes one sentence (or a problem object) on stderr and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from adapters.host.printable import visible
from autolearn.errors import ClientError, InvalidInputError, sentence_of, shortened
from cli import exit_codes
from cli.cells import as_json
from cli.lazy import ReaderLeft
from domain.errors import AutoLearnError

JSON_MODES = ("json", "jsonl")


def report(error: BaseException, arguments: Sequence[str]) -> int:
    """Say what went wrong, and return the exit code."""
    if isinstance(error, ReaderLeft):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in the buffer goes nowhere
        return exit_codes.READER_LEFT
    if isinstance(error, click.Abort | KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return exit_codes.INTERRUPTED
    problem, code = _understood(error)
    if isinstance(problem.get("detail"), str):
        problem = problem | {"detail": shortened(str(problem["detail"]))}
    click.echo(as_json(problem) if wants_json(arguments) else visible(_readable(error, problem)), err=True)
    return code


def wants_json(arguments: Sequence[str]) -> bool:
    """Return whether a JSON mode was asked for, also where the arguments could not be parsed."""
    before = ""
    for argument in arguments:
        value = argument.partition("=")[2] if argument.startswith("--output=") else argument.removeprefix("-o")
        if argument == "--json" or (argument.startswith(("-o", "--output=")) and value in JSON_MODES):
            return True
        if before in ("-o", "--output") and argument in JSON_MODES:
            return True
        before = argument
    return False


def _understood(error: BaseException) -> tuple[dict[str, object], int]:
    if isinstance(error, ClientError):
        return error.problem, exit_codes.of_error(error)
    if isinstance(error, AutoLearnError):
        title = error.slug.replace("-", " ").capitalize()
        return {"type": error.slug, "title": title, "detail": error.sentence, **error.facts}, exit_codes.of_error(error)
    if isinstance(error, click.ClickException):
        said = error.format_message().replace("\n\t", " ")  # choices, one below the other
        return InvalidInputError(said).problem, exit_codes.BAD_INPUT
    if isinstance(error, OSError):
        named = f"{error.filename}: " if error.filename else ""
        return InvalidInputError(f"{named}{error.strerror or error}.").problem, exit_codes.BAD_INPUT
    told = f"{type(error).__name__}: {error}".splitlines()[0]
    return ClientError(f"The command failed unexpectedly ({told}). That is a mistake of AutoLearn.").problem, 1


def _readable(error: BaseException, problem: dict[str, object]) -> str:
    text = sentence_of(problem)
    if isinstance(error, ClientError | AutoLearnError):
        return f"autolearn: {text}"
    context = getattr(error, "ctx", None)
    hint = f" See `{context.command_path} --help`." if isinstance(context, click.Context) else ""
    return f"autolearn: {text}{hint}"
