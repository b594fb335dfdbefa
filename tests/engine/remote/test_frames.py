"""The frames of the agent's protocol: whatever is cut where, the same messages come out."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from xpm_engine.errors import ProtocolError
from xpm_engine.remote.frames import MOST, Decoder, Message, encode

_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=8,
)
_bodies = some.dictionaries(some.text().filter(lambda name: name != "data"), _values, max_size=4)
_messages = some.lists(some.builds(Message, _bodies, some.binary(max_size=300)), max_size=6)


@given(_messages, some.lists(some.integers(1, 97), min_size=1, max_size=9))
def test_what_was_sent_comes_out(messages: list[Message], cuts: list[int]) -> None:
    wire = b"".join(map(encode, messages))
    decoder = Decoder()
    found: list[Message] = []
    at = turn = 0
    while at < len(wire):
        size = cuts[turn % len(cuts)]
        found.extend(decoder.feed(wire[at : at + size]))
        at += size
        turn += 1
    assert [_plain(message) for message in found] == [_plain(message) for message in messages]
    assert not decoder.partial


def _plain(message: Message) -> tuple[dict[str, Any], bytes]:
    return {name: value for name, value in message.body.items() if name != "data"}, message.data


@given(some.binary(min_size=5, max_size=400))
def test_anything_else_is_refused_or_waited_for(noise: bytes) -> None:
    decoder = Decoder()
    try:
        for message in decoder.feed(noise):
            assert isinstance(message.body, dict)
    except ProtocolError:
        pass


@pytest.mark.parametrize(
    "wire",
    [
        struct.pack("!IB", MOST + 1, 0),
        struct.pack("!IB", 3, 7) + b"abc",
        struct.pack("!IB", 3, 1) + b"abc",
        struct.pack("!IB", 2, 0) + b"[]",
        struct.pack("!IB", 3, 0) + b"{,}",
        struct.pack("!IB", 10, 0) + b'{"data":9}' + struct.pack("!IB", 1, 1) + b"x",
    ],
    ids=["too long", "unknown type", "bytes of nothing", "no object", "no JSON", "wrong count"],
)
def test_what_is_no_frame_is_an_error(wire: bytes) -> None:
    with pytest.raises(ProtocolError):
        list(Decoder().feed(wire))


def test_a_message_has_a_greatest_length() -> None:
    encode(Message({}, bytes(MOST)))
    with pytest.raises(ProtocolError):
        encode(Message({}, bytes(MOST + 1)))
    with pytest.raises(ProtocolError):
        encode(Message({"text": "x" * MOST}))
