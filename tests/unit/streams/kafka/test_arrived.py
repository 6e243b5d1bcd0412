"""A stream reader whose buffer keeps pieces reads what one with a bytearray reads."""

import asyncio
from types import SimpleNamespace

import pytest

from streams.kafka.arrived import Arrived, keep_pieces


@pytest.mark.parametrize("pieces", [[b"abcdefghij"], [b"abc", b"defg", b"hij"], [b"a"] * 10])
def test_what_arrives_in_pieces_is_read_whole(pieces: list[bytes]) -> None:
    """Before, after and while the reader waits; the end of the stream leaves what is there to the caller."""

    async def scene() -> list[bytes]:
        reader = asyncio.StreamReader()
        reader.feed_data(b"12")
        keep_pieces(SimpleNamespace(_reader=reader))
        keep_pieces(SimpleNamespace(_reader=reader))
        waiting = asyncio.create_task(reader.readexactly(6))
        await asyncio.sleep(0)
        for piece in pieces:
            reader.feed_data(piece)
        found = [await waiting, await reader.readexactly(2)]
        last = asyncio.create_task(reader.readexactly(9))
        await asyncio.sleep(0)
        reader.feed_eof()
        with pytest.raises(asyncio.IncompleteReadError) as cut:
            await last
        return [*found, cut.value.partial]

    found = asyncio.run(scene())
    text = b"12" + b"".join(pieces)
    assert found == [text[:6], text[6:8], text[8:]]


def test_the_buffer_is_that_of_a_bytearray() -> None:
    """Slices, deletion, length and clearing."""
    buffer = Arrived(b"ab")
    buffer.extend(b"cd")
    assert (len(buffer), buffer[:3], bytes(buffer)) == (4, b"abc", b"abcd")
    del buffer[:3]
    assert (len(buffer), bytes(buffer)) == (1, b"d")
    buffer.clear()
    assert (len(buffer), bytes(buffer)) == (0, b"")
