"""Every failure becomes one sentence (or a problem object) on stderr and an exit code."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence

import click

from autolearn.errors import ClientError, InvalidInputError, sentence_of, shortened
from autolearn.printable import as_json, visible
from autolearn.views import Facts
from cli import exit_codes
from cli.lazy import OutputClosedError
from domain.errors import AutoLearnError

JSON_FORMAT = re.compile(r"(^|\0)(--json|(-o\0?|--output[=\0])jsonl?)(\0|$)")  # in arguments joined by NUL


def report(error: BaseException, arguments: Sequence[str]) -> int:
    if isinstance(error, OutputClosedError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in the buffer goes nowhere
        return exit_codes.OUTPUT_CLOSED
    if isinstance(error, click.Abort | KeyboardInterrupt):
        task = str(error if isinstance(error, KeyboardInterrupt) else error.__cause__ or "")  # what is said of one
        click.echo(visible(f"Interrupted. {task}".rstrip()), err=True)
        return exit_codes.INTERRUPTED
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and error.ctx is not None:
        click.echo(error.ctx.get_help(), err=True)  # of a group without a command
        return exit_codes.of_error(error)
    problem = _problem_of(error)
    if isinstance(problem.get("detail"), str):
        problem = problem | {"detail": shortened(problem["detail"])}
    if wants_json(arguments):
        click.echo(as_json(problem), err=True)
    else:
        sentence = sentence_of(problem)
        context = getattr(error, "ctx", None)  # of click's usage errors
        end = "" if sentence.endswith((".", "!", "?")) else "."  # some of click's have none
        hint = f"{end} See `{context.command_path} --help`." if isinstance(context, click.Context) else ""
        click.echo(visible(f"autolearn: {sentence}{hint}"), err=True)
    return exit_codes.of_error(error)


def wants_json(arguments: Sequence[str]) -> bool:
    """Return whether a JSON format was asked for, also where the arguments could not be parsed."""
    return bool(JSON_FORMAT.search("\0".join(arguments)))


def _problem_of(error: BaseException) -> Facts:
    if isinstance(error, ClientError):
        return error.problem
    if isinstance(error, AutoLearnError):
        title = error.slug.replace("-", " ").capitalize()
        return {"type": error.slug, "title": title, "detail": error.sentence, **error.facts}
    if isinstance(error, click.ClickException):
        return InvalidInputError(error.format_message().replace("\n\t", " ")).problem  # choices, one below the other
    if isinstance(error, OSError):
        prefix = f"{error.filename}: " if error.filename else ""
        return InvalidInputError(f"{prefix}{error.strerror or error}.").problem
    first_line = f"{type(error).__name__}: {error}".splitlines()[0]
    return ClientError(f"The command failed unexpectedly ({first_line}). That is a mistake of AutoLearn.").problem
