"""What a tweet makes of its subject: an estimate by a small lexicon, once per text and once for whole columns.

Each stance has strong cues (two points) and weak ones (one point); a text scores what it contains, each kind once,
looked for in the text lower-cased with ASCII rules. The stance with the most points wins; on a tie the one that stands
first in ``LEXICON``; without any cue the text is ``neutral``. It knows nothing of negation, quotation or irony: how
often it is right, stance by stance, is measured against the generator's labels and published in docs/reaction.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl

from streams.results import STANCES
from streams.subject import ascii_lower

NEUTRAL = "neutral"
_STRONG, _WEAK = 2, 1
_RANKS = 8
"""Points and rank go into one number, points first, so that every cue is looked for once."""


@dataclass(frozen=True)
class Cues:
    """The cues of one stance, in lower case."""

    strong: tuple[str, ...]
    weak: tuple[str, ...]


LEXICON: dict[str, Cues] = {
    "mockery": Cues(
        (
            " lol",
            "lmao",
            "haha",
            "laugh",
            "joke",
            "popcorn",
            "clown",
            "circus",
            "embarrass",
            "comedy",
            "😂",
            "🤣",
            "🍿",
            "💀",
        ),
        (" melt", "crash", "potato", "hamster", "dial-up", "dialup", "broke the", "funny", "fail", "slow clap", "🔥"),
    ),
    "blame": Cues(
        ("blame", "fault", "responsib", "accountab", "should have", "shame", "should've", "🤦", "😤", "👎"),
        ("why would", "nobody tested", "no excuse", "cutting", "unprepared", "campaign"),
    ),
    "speculation": Cues(
        ("wonder", "rumour", "rumor", "maybe", "probably", "perhaps", "suspect", "my guess", "i bet", "🤔", "🧐"),
        ("did he", "was it", "really", "timing", "behind", "coincidence", "?"),
    ),
    "thanks": Cues(
        ("thank", "grateful", "gratitude", "appreciat", "all the best", "good luck", "farewell", "🙏", "💙", "🫡"),
        ("well deserved", "next chapter", "miss you", "honour", "honor", "best wishes"),
    ),
    "support": Cues(
        ("keep going", "keep experiment", "keep building", "impressive", "proud", "well done", "congrat", "💪", "🚀"),
        ("great", " love", "amazing", "excited", "historic", "biggest", "good start", "👏"),
    ),
}
"""Cues per stance; the order settles ties. ``neutral`` has none."""


@lru_cache(maxsize=1 << 16)
def stance_of(text: str) -> str:
    """Return the stance of a text, one of ``streams.results.STANCES``; remembered, as reposts repeat texts."""
    lowered = ascii_lower(text)
    best, most = NEUTRAL, 0
    for stance, cues in LEXICON.items():
        points = _STRONG * _any(cues.strong, lowered) + _WEAK * _any(cues.weak, lowered)
        if points > most:
            best, most = stance, points
    return best


def stance_expr(text: str = "text") -> pl.Expr:
    """Return the same estimate as an expression over a column of texts, an Enum of ``STANCES``."""
    ranks = dict(enumerate((*reversed(LEXICON), NEUTRAL)))
    keys = [_RANKS * _points(text, LEXICON[stance]) + rank for rank, stance in ranks.items() if stance != NEUTRAL]
    best = pl.max_horizontal(*keys, pl.lit(len(LEXICON), pl.Int8)) % _RANKS
    return best.replace_strict(ranks, return_dtype=pl.Enum(STANCES))


def stance_codes(texts: Sequence[str]) -> npt.NDArray[np.int16]:
    """Return the stances of many texts, as indices into ``STANCES``; several times as fast as one by one."""
    column = pl.Series("text", texts, dtype=pl.String)
    stances = column.to_frame().select(stance_expr()).to_series()
    return stances.to_physical().to_numpy().astype(np.int16)


def _any(cues: tuple[str, ...], lowered: str) -> bool:
    for cue in cues:  # noqa: SIM110 - a generator takes half as long again
        if cue in lowered:
            return True
    return False


def _points(text: str, cues: Cues) -> pl.Expr:
    return _STRONG * _contains(text, cues.strong) + _WEAK * _contains(text, cues.weak)


def _contains(text: str, cues: tuple[str, ...]) -> pl.Expr:
    return pl.col(text).str.contains_any(list(cues), ascii_case_insensitive=True).cast(pl.Int8)
