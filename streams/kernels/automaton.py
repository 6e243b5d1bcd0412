"""Which of many patterns a text contains, in one pass over its bytes (Aho and Corasick, 1975)."""

from collections import deque
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.kernels.jit import seldom
from streams.kernels.words import Bytes

NO_RULE: Final = (1 << 20) - 1
"""Greater than the number of any rule."""
RULE_BITS: Final = 20


class Automaton(NamedTuple):
    """States and the moves between them; state 0 is the beginning.

    A pattern gives a set of cues, a bit each, and the number of a rule; a text gives all its cues and the least rule.
    """

    class_of: NDArray[np.uint8]
    """Bytes that no pattern distinguishes are of one class; A to Z are of the class of a to z."""
    moves: NDArray[np.int32]
    """From a state, a row, with a byte of a class, a column, to another state."""
    cues: NDArray[np.int64]
    """What is known in a state: the cues of every pattern that ends there."""
    rules: NDArray[np.int64]


def automaton(patterns: Mapping[bytes, tuple[int, int]]) -> Automaton:
    """Return what finds patterns in texts, lower-cased by the rules of ASCII.

    Args:
        patterns: To each pattern its cues and its rule, ``NO_RULE`` for none; the patterns are in lower case.
    """
    alphabet = sorted({byte for pattern in patterns for byte in pattern})
    class_of = np.zeros(256, np.uint8)
    class_of[alphabet] = range(1, len(alphabet) + 1)
    class_of[ord("A") : ord("Z") + 1] = class_of[ord("a") : ord("z") + 1]
    children: list[dict[int, int]] = [{}]
    cues, rules = [0], [NO_RULE]
    for pattern, (cue, rule) in patterns.items():
        state = 0
        for byte in pattern:
            following = children[state].setdefault(int(class_of[byte]), len(children))
            if following == len(children):
                children.append({})
                cues.append(0)
                rules.append(NO_RULE)
            state = following
        cues[state] |= cue
        rules[state] = min(rules[state], rule)
    moves = _moves(children, cues, rules, len(alphabet) + 1)
    return Automaton(class_of, moves, np.array(cues, np.int64), np.array(rules, np.int64))


def _moves(children: list[dict[int, int]], cues: list[int], rules: list[int], classes: int) -> NDArray[np.int32]:
    """Return the moves; each state also gets what is known in the longest state that it ends with."""
    moves = np.zeros((len(children), classes), np.int32)
    fallback = [0] * len(children)
    waiting = deque([0])
    while waiting:
        state = waiting.popleft()
        moves[state] = moves[fallback[state]]
        for symbol, child in children[state].items():
            fallback[child] = int(moves[fallback[state], symbol]) if state else 0
            moves[state, symbol] = child
            waiting.append(child)
        if state:
            cues[state] |= cues[fallback[state]]
            rules[state] = min(rules[state], rules[fallback[state]])
    return moves


@seldom
def search(known: Automaton, data: Bytes, start: int, stop: int) -> Any:
    """Return the cues of a text and its least rule as one number: cues times two to the ``RULE_BITS``, plus rule."""
    state = 0
    cues, rule = known.cues[0], known.rules[0]
    for place in range(start, stop):
        state = known.moves[state, known.class_of[data[place]]]
        cues |= known.cues[state]
        rule = min(rule, known.rules[state])
    return (cues << RULE_BITS) | rule
