"""A group that imports the file of a command only when it is used: `autolearn --help` imports none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Section = Mapping[str, str | tuple[str, str]]  # name of a command -> its line of help, with its file if named otherwise


class OutputClosedError(Exception):
    """Nobody reads standard output any more, `head` for example; no failure."""


class LazyGroup(click.Group):
    """A click group of titled sections; the command `name` is `name` in the file cli/name.py."""

    def __init__(self, *arguments: Any, sections: Mapping[str, Section], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.sections = {
            title: {name: line if isinstance(line, tuple) else (name, line) for name, line in section.items()}
            for title, section in sections.items()
        }
        self.known = {name: line for section in self.sections.values() for name, line in section.items()}

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        with _output_closed():  # it may print help
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        with _output_closed():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self.known)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in self.known:
            return None
        command: click.Command = getattr(import_module(f"cli.{self.known[cmd_name][0]}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.known and not args[0].startswith("-"):
            from difflib import get_close_matches  # noqa: PLC0415 - only after a mistake

            close = get_close_matches(args[0], self.known)
            hint = f" Nearest: {', '.join(close)}." if close else ""
            ctx.fail(f"There is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        for title, section in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([(name, line) for name, (_, line) in section.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only for a shell that completes

        names = [(name, line) for name, (_, line) in self.known.items() if name.startswith(incomplete)]
        return [CompletionItem(name, help=line) for name, line in names] + click.Command.shell_complete(
            self, ctx, incomplete
        )


@contextmanager
def _output_closed() -> Iterator[None]:
    """Raise OutputClosedError for a broken pipe, which click would make a failure."""
    try:
        yield
    except BrokenPipeError as broken:
        raise OutputClosedError from broken
