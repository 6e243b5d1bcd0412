"""Headers are encoded as a record has them."""

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from streams.kafka.headers import NONE, decode, encode

_headers = st.lists(st.tuples(st.text(max_size=90), st.none() | st.binary(max_size=200)), max_size=5)


@given(_headers)
def test_headers_stand_at_the_end_of_a_record(headers: list[tuple[str, bytes | None]]) -> None:
    """The bytes are those of a client's own builder, and say the same when they are decoded."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 20)
    builder.append(0, 0, key=None, value=b"v", headers=headers)
    assert bytes(builder.build()).endswith(b"\x02v" + encode(headers))
    assert decode(encode(headers)) == headers


def test_no_headers() -> None:
    """One byte, their count."""
    assert encode(()) == NONE
    assert decode(NONE) == []
