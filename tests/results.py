"""Results as their readers see them."""

from streams.contract.results import Result, decode_audience, decode_reaction, key_of
from streams.fold.results import EncodedResults


def read_back(encoded: EncodedResults) -> list[Result]:
    """Return encoded results as records; their keys are those of the contract."""
    records: list[Result] = []
    for key, value in zip(encoded.keys, encoded.values, strict=True):
        record = decode_audience(value) if b'"space"' in value else decode_reaction(value)
        assert key == key_of(record)
        records.append(record)
    return records
