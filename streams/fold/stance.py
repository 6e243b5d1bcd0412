"""What a tweet makes of its subject: an estimate by a small lexicon.

Each stance has strong cues (two points) and weak ones (one point); a text scores what it contains, each kind once,
looked for in the text lower-cased with ASCII rules. The stance with the most points wins; on a tie the one that stands
first in ``LEXICON``; without any cue the text is ``neutral``. It knows nothing of negation, quotation or irony: how
often it is right, stance by stance, is measured against the generator's labels and published in docs/reaction.md.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from streams.contract.results import STANCES
from streams.fold.subject import ascii_lower

NEUTRAL = "neutral"
_STRONG, _WEAK = 2, 1


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


def _kinds() -> dict[str, int]:
    """Return which kinds of cue each cue is, a bit each: two per stance, the weak one first."""
    kinds: dict[str, int] = {}
    for place, cues in enumerate(LEXICON.values()):
        for bit, words in ((2 * place + 1, cues.strong), (2 * place, cues.weak)):
            for word in words:
                kinds[word] = kinds.get(word, 0) | 1 << bit
    return kinds


def _best(held: int) -> str:
    """Return the stance of a text that has these kinds of cues."""
    best, most = NEUTRAL, 0
    for place, stance in enumerate(LEXICON):
        points = _STRONG * (held >> (2 * place + 1) & 1) + _WEAK * (held >> (2 * place) & 1)
        if points > most:
            best, most = stance, points
    return best


CUES = _kinds()
"""Which kinds of cue each cue is."""
STANCE_OF_CUES: npt.NDArray[np.int16] = np.array(
    [STANCES.index(_best(held)) for held in range(1 << (2 * len(LEXICON)))], np.int16
)
"""Index of the stance among ``STANCES``, by the kinds of cues a text has."""


@lru_cache(maxsize=1 << 16)
def stance_of(text: str) -> str:
    """Return the stance of a text, one of ``streams.contract.results.STANCES``; remembered, as reposts repeat texts."""
    lowered = ascii_lower(text)
    held = 0
    for cue, kinds in CUES.items():
        if cue in lowered:
            held |= kinds
    return _best(held)
