"""Records travel from Spark's tasks to its driver as rows, and arrive as they were."""

import pytest

from streams.contract.results import AudienceResult, Progress, ReactionResult
from streams.engines.spark.rows import OutRow, from_row, to_row
from streams.errors import DecodeError

AUDIENCE = AudienceResult(1, "r1", "spark", 1_684_965_670_000, "room-a", "1", 7, {"joins": 2})
REACTION = ReactionResult(1, "r1", "spark", 1_684_965_670_000, "host", "1", 7, {"posts": 2})
PROGRESS = Progress.of_partition("r1", "spark", "tweets", 1)


@pytest.mark.parametrize("record", [AUDIENCE, REACTION, PROGRESS])
def test_results_and_progress_arrive_as_they_were(record: AudienceResult | ReactionResult | Progress) -> None:
    """Their type follows from their topic."""
    assert from_row(OutRow._make(to_row(record))) == record


@pytest.mark.parametrize("raw", [b"\xff\x00", b"", None])
def test_a_dead_letter_keeps_its_bytes_its_reason_and_its_source(raw: bytes | None) -> None:
    """Also a record without a value."""
    out = from_row(to_row((DecodeError("not_json", "expected JSON", "tweets.r1[1]@7"), raw)))
    assert isinstance(out, tuple)
    assert (out[0].reason, out[0].source, out[1]) == ("not_json", "tweets.r1[1]@7", raw)
