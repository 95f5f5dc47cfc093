"""What the log says and what a store has, held against each other: in sums first, and where they differ in full."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from projections.following import Look, Poisoned
from projections.ports import Feed
from projections.spill import OpenSpillTable
from projections.verification.versions import RANGE, Fingerprints, LoggedVersions, Version, compare

MOST_FINDINGS = 1000  # a store that is wrong throughout is not listed line by line
MOST_RANGES = 50  # so many ranges of positions are compared in full: their versions are held in memory

Finding = tuple[int, str]


def every_version(_: Version) -> bool:
    """Compare the closed versions too."""
    return True


@dataclass
class Comparison:
    """Versions up to `position` for which `wanted` holds; `stored` streams the same ones of a store, each time anew."""

    feed: Feed
    position: int
    open_spill: OpenSpillTable
    stored: Callable[[], Iterator[Version]]
    wanted: Callable[[Version], bool] = every_version
    findings: list[Finding] = field(default_factory=list)
    poisons: list[Poisoned] = field(default_factory=list)

    def run(self, emit: Callable[[Version], None] | None = None, look: Look | None = None) -> Iterator[int]:
        """Yield positions as it goes; afterwards there are `findings`, or `poisons` where the log cannot be folded.

        `emit` gets what the log says, `look` the commits.
        """
        logged = Fingerprints()

        def take(version: Version) -> None:
            logged.add(version)
            if emit is not None:
                emit(version)

        yield from self._versions(take, look)
        if self.poisons:
            return
        unlike = sorted(logged.unlike(Fingerprints(self.stored())))
        if unlike:
            yield from self._in_full(unlike)

    def _versions(self, take: Callable[[Version], None], look: Look | None = None) -> Iterator[int]:
        with self.open_spill() as spill:
            logged = LoggedVersions(self.feed, self.position, spill, look)
            yield from logged.run(lambda version: take(version) if self.wanted(version) else None)
            self.poisons = logged.poisons

    def _in_full(self, unlike: list[int]) -> Iterator[int]:
        """Compute the ranges that differ again, and name what differs."""
        chosen, ranges = list[Version](), frozenset(unlike[:MOST_RANGES])

        def keep(version: Version) -> None:
            if version.from_ // RANGE in ranges:
                chosen.append(version)

        yield from self._versions(keep)
        stored = (version for version in self.stored() if version.from_ // RANGE in ranges)
        self.findings.extend(islice(compare(chosen, stored), MOST_FINDINGS))
        if rest := unlike[MOST_RANGES:]:
            more = f"from here on the read models differ in {len(rest)} more ranges of {RANGE} positions"
            self.findings.append((rest[0] * RANGE, more))
