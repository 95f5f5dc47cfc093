"""What is remembered of streams is never more than was seen, and never grows without end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from adapters.distributed.log.stream_index import SeenVersions


@given(st.lists(st.tuples(st.sampled_from("abcdefg"), st.integers(1, 50))), st.integers(1, 8))
def test_it_tells_the_greatest_version_or_nothing(noted: list[tuple[str, int]], most: int) -> None:
    seen = SeenVersions(most)
    for version in noted:
        seen.note([version])
    latest = list(dict.fromkeys(stream for stream, _ in reversed(noted)))[:most]
    assert len(seen._versions) == len(latest)
    for stream in "abcdefg":
        greatest = max((version for name, version in noted if name == stream), default=0)
        assert seen.of(stream) in {0, greatest} or stream in latest
        assert seen.of(stream) <= greatest
