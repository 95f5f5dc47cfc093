"""The library's Mapper face: pinned names instead of Python paths, with and without compressor and cipher."""

from __future__ import annotations

import pytest
from eventsourcing.cipher import AESCipher
from eventsourcing.compressor import ZlibCompressor
from eventsourcing.persistence import Cipher, Compressor
from eventsourcing.utils import Environment

from adapters.wire.events import encode
from adapters.wire.mapper import EventMapper
from tests.wire.examples import EXAMPLES

KEY = Environment(env={"CIPHER_KEY": AESCipher.create_key(num_bytes=16)})


@pytest.mark.parametrize("cipher", [None, AESCipher(KEY)])
@pytest.mark.parametrize("compressor", [None, ZlibCompressor()])
def test_event_goes_through_the_library_and_comes_back(compressor: Compressor | None, cipher: Cipher | None) -> None:
    mapper = EventMapper(compressor=compressor, cipher=cipher)
    for event in EXAMPLES:
        stored = mapper.to_stored_event(event)
        assert stored.topic == event.NAME
        assert (stored.state == encode(event)) == (compressor is None and cipher is None)
        assert mapper.to_domain_event(stored) == event
