"""The columnar stance classifier and the classifier itself are one classifier."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.results import STANCES
from streams.fold.stance import LEXICON, stance_codes, stance_of

_cues = [cue for cues in LEXICON.values() for cue in (*cues.strong, *cues.weak)]
_texts = st.lists(st.one_of(st.sampled_from(_cues), st.text(max_size=5)), max_size=5).map(" ".join)


@given(st.lists(_texts, max_size=8))
def test_columns_and_single_texts_get_the_same_stance(texts: list[str]) -> None:
    """For any mixture of cues and other characters, in any case, column and single form agree."""
    texts = [*texts, *(text.upper() for text in texts)]
    singly = [stance_of(text) for text in texts]
    assert [STANCES[code] for code in stance_codes(pl.Series(texts, dtype=pl.String))] == singly
    assert set(singly) <= set(STANCES)
