"""Texts from a phrase grammar: every text is a pure function of register, stance and 64 random bits.

The phrases are in ``phrases/*.yaml``, one file per register (the topic), with a list per stance and manner: ``plain``
uses the words typical of the stance, ``subtle`` avoids them, ``ironic`` uses those of another stance. Every ``{slot}``
is filled with each of its alternatives when the phrases are loaded; making texts is then picking parts by index and
joining columns.
"""

import itertools
import re
import string
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from producers.tweets.draws import Ints, mixed
from streams.contract.results import STANCES

REGISTERS: Final = ("everyday", "farewells", "anticipation", "wave", "talk", "aftermath", "announcement")
MANNERS: Final = ("plain", "subtle", "ironic")
_MANNER_UPTO: Final = np.array([70, 87, 100])
"""Of a hundred texts, how many are plain, subtle and ironic (cumulative)."""
_VARIANT_UPTO: Final = np.array([70, 88, 96, 100])
"""Likewise: as written, in lower case, with a typo, in upper case."""
_COMMON: Final = "common"

Bits = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class _Pool:
    """Alternatives of many voices in one column: voice v has ``size[v]`` of them from ``first[v]`` on.

    A voice is a register with a stance.
    """

    items: pa.Array
    first: Ints
    size: Ints

    @classmethod
    def of(cls, lists: list[list[Any]], kind: pa.DataType) -> "_Pool":
        size = np.array([len(items) for items in lists], dtype=np.int64)
        return cls(pa.array(itertools.chain.from_iterable(lists), kind), np.cumsum(size) - size, size)

    def pick(self, voice: Ints, bits: Bits) -> Ints:
        return self.first[voice] + _scaled(bits, self.size[voice])


@dataclass(frozen=True)
class TweetTexts:
    """Texts and their hashtags (lower case, without the number sign)."""

    texts: pa.StringArray
    hashtags: pa.ListArray

    def __len__(self) -> int:
        return len(self.texts)

    def selected(self, rows: Ints, others: "TweetTexts") -> "TweetTexts":
        """Return rows of these texts followed by ``others``: row ``len(self)`` is the first of the others."""
        indices = pa.array(rows)
        return TweetTexts(
            pa.concat_arrays([self.texts, others.texts]).take(indices),
            pa.concat_arrays([self.hashtags, others.hashtags]).take(indices),
        )


class Grammar:
    """Makes texts from phrases; ``load`` builds it."""

    def __init__(self, common: dict[str, Any], registers: list[dict[str, Any]], thread: list[dict[str, Any]]) -> None:
        voices = [(book, stance) for book in registers for stance in STANCES]
        self._marker = " " + common["marker"]
        self._cores = _Pool.of(
            [_cores(book, stance, manner, common) for manner in MANNERS for book, stance in voices], pa.string()
        )
        self._written = _variants(self._cores.items.to_pylist())
        self._openers = _Pool.of([common["opener"]["post"], common["opener"]["answer"]], pa.string())
        self._tails = _Pool.of([common["tail"]], pa.string())
        self._emoji = _Pool.of([common["emoji"][stance] for _, stance in voices], pa.string())
        tags = [[entry for entry in book["hashtags"] for _ in range(entry["weight"])] for book, _ in voices]
        self._shown = _Pool.of(
            [["".join(f" #{tag}" for tag in entry["tags"]) for entry in row] for row in tags], pa.string()
        )
        self.thread = _thread(thread, self._marker)
        """The posts of the announcement's thread."""
        self._tags = _Pool.of(
            [[[tag.lower() for tag in entry["tags"]] for entry in row] for row in tags], pa.list_(pa.string())
        )

    def phrases(self) -> list[str]:
        """Return every phrase with every filling, in all variants, without opener, tail, emoji and hashtags."""
        phrases: list[str] = self._written.to_pylist()
        return phrases

    def texts(self, register: Ints, stance: Ints, answers: npt.NDArray[np.bool_], bits: Bits) -> TweetTexts:
        """Return a text per row.

        Args:
            register: Index into ``REGISTERS``.
            stance: Index into ``STANCES``.
            answers: Whether the tweet answers another one.
            bits: 64 random bits; equal arguments give the same text.
        """
        voice = register * len(STANCES) + stance
        tags = self._shown.pick(voice, mixed(bits, 5))
        parts = [
            self._openers.items.take(pa.array(self._openers.pick(answers.astype(np.int64), mixed(bits, 1)))),
            self._written.take(pa.array(self._core(voice, bits))),
            self._tails.items.take(pa.array(self._tails.pick(np.zeros_like(voice), mixed(bits, 3)))),
            self._emoji.items.take(pa.array(self._emoji.pick(voice, mixed(bits, 4)))),
            self._shown.items.take(pa.array(tags)),
            pa.scalar(self._marker),
            pa.scalar(""),
        ]
        return TweetTexts(pc.binary_join_element_wise(*parts), self._tags.items.take(pa.array(tags)))

    def _core(self, voice: Ints, bits: Bits) -> Ints:
        manner = _among(_MANNER_UPTO, mixed(bits, 6))
        voices = len(REGISTERS) * len(STANCES)
        core = self._cores.pick(manner * voices + voice, mixed(bits, 2))
        return core + _among(_VARIANT_UPTO, mixed(bits, 7)) * len(self._cores.items)


@lru_cache(maxsize=1)
def load() -> Grammar:
    """Load the phrases of this package."""
    return Grammar(_read(_COMMON), [_read(name) for name in REGISTERS], _read("thread")["posts"])


def _thread(posts: list[dict[str, Any]], marker: str) -> TweetTexts:
    shown = [post["text"] + "".join(f" #{tag}" for tag in post["tags"]) + marker for post in posts]
    return TweetTexts(
        pa.array(shown, pa.string()), pa.array([[t.lower() for t in p["tags"]] for p in posts], pa.list_(pa.string()))
    )


def _read(name: str) -> dict[str, Any]:
    text = files("producers.tweets").joinpath("phrases", f"{name}.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def _scaled(bits: Bits, size: Ints | int) -> Ints:
    """Map 64 random bits evenly onto 0 … size-1, in integers."""
    return ((bits >> np.uint64(32)) * np.asarray(size, dtype=np.uint64) >> np.uint64(32)).astype(np.int64)


def _among(upto: Ints, bits: Bits) -> Ints:
    return np.searchsorted(upto, _scaled(bits, int(upto[-1])), side="right").astype(np.int64)


def _cores(book: dict[str, Any], stance: str, manner: str, common: dict[str, Any]) -> list[str]:
    """Return every filling of every phrase of a voice; a voice without this manner uses its plain phrases."""
    phrases = book["stances"][stance]
    slots = common["slots"] | book.get("slots", {})
    return [text for phrase in phrases.get(manner, phrases["plain"]) for text in _filled(phrase, slots)]


def _filled(phrase: str, slots: dict[str, list[str]]) -> list[str]:
    names = [name for _, name, _, _ in string.Formatter().parse(phrase) if name]
    return [
        phrase.format(**dict(zip(names, values, strict=True)))
        for values in itertools.product(*(slots[n] for n in names))
    ]


def _variants(written: list[str]) -> pa.StringArray:
    """Return all phrases as written, then all in lower case, with a typo, in upper case."""
    ways: tuple[Callable[[str], str], ...] = (str, str.lower, _typo, str.upper)
    return pa.array([way(core) for way in ways for core in written], pa.string())


def _typo(text: str) -> str:
    """Swap two letters inside the longest word."""
    word = max(re.findall(r"[A-Za-z]+", text) or [""], key=len)
    if len(word) < 4:  # noqa: PLR2004 - a shorter word would become another one
        return text
    middle = len(word) // 2
    return text.replace(word, word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :], 1)
