"""The phrase grammar: civil, marked, varied, and the same text for the same bits."""

import itertools
import re

import numpy as np
import pytest

from producers.tweets import grammar
from producers.tweets.draws import mixed
from producers.tweets.grammar import REGISTERS, TweetTexts
from streams.contract.results import STANCES

UNCIVIL = {
    *("idiot", "stupid", "moron", "dumb", "loser", "liar", "crook", "scum", "trash", "pathetic", "hate", "kill"),
    *("die", "damn", "hell", "crap", "shit", "fuck", "bastard", "bitch", "ass", "fool", "ugly", "nazi", "traitor"),
}
NAMES = {"musk", "elon", "desantis", "ron", "sacks", "dabiri", "foad", "trump", "biden"}
PER_VOICE = 300


def voices(register: str) -> TweetTexts:
    """Return many texts of a register, all stances alike."""
    stance = np.repeat(np.arange(len(STANCES)), PER_VOICE)
    bits = mixed(np.arange(len(stance), dtype=np.uint64), 99)
    place = np.full(len(stance), REGISTERS.index(register), dtype=np.int64)
    return grammar.load().texts(place, stance, np.arange(len(stance)) % 2 == 0, bits)


def all_texts() -> list[str]:
    """Return every filled phrase and the thread's posts, without openers and tails."""
    made = grammar.load()
    return [*made.phrases(), *made.thread.texts.to_pylist()]


def test_texts_are_civil_and_name_nobody() -> None:
    """No phrase of the grammar, however it is filled, has a word of abuse or the name of a living person."""
    texts = itertools.chain(all_texts(), *(voices(register).texts.to_pylist() for register in REGISTERS))
    found = {word for text in texts for word in re.findall(r"[a-z]+", text.lower())} & (UNCIVIL | NAMES)
    assert not found


@pytest.mark.parametrize("register", REGISTERS)
def test_every_text_is_marked_synthetic_and_short(register: str) -> None:
    """Each text ends with the marker and fits into a tweet."""
    texts = voices(register).texts.to_pylist()
    assert all(text.endswith(" [sim]") for text in texts)
    assert all(len(text) <= 280 for text in texts)


def test_the_thread_quotes_no_more_than_the_record() -> None:
    """The first post begins as in the public record; all others are marked as paraphrases."""
    first, *others = grammar.load().thread.texts.to_pylist()
    assert first.startswith("After almost four incredible years at Twitter, I decided to leave the nest yesterday #")
    assert len(others) >= 2
    assert all("not quoted" in text for text in others)


@pytest.mark.parametrize("register", REGISTERS)
def test_hashtags_are_those_of_the_text(register: str) -> None:
    """A text's hashtags are the ones in it, in lower case and without the number sign."""
    made = voices(register)
    for text, tags in zip(made.texts.to_pylist(), made.hashtags.to_pylist(), strict=True):
        assert tags == [tag.lower() for tag in re.findall(r"#(\w+)", text)]


@pytest.mark.parametrize("register", REGISTERS)
def test_texts_are_varied(register: str) -> None:
    """Of the texts of one register and stance most occur once."""
    texts = np.array(voices(register).texts.to_pylist()).reshape(len(STANCES), PER_VOICE)
    assert min(len(set(row)) for row in texts) > PER_VOICE / 3
    assert len(set(texts.ravel())) > texts.size * 0.8


def test_the_same_bits_give_the_same_text_in_any_company() -> None:
    """A text depends on its own row alone: taken out of the column it is the same."""
    rows = np.array([5, 700, 1400])
    stance = np.repeat(np.arange(len(STANCES)), PER_VOICE)[rows]
    bits = mixed(np.arange(len(STANCES) * PER_VOICE, dtype=np.uint64), 99)[rows]
    alone = grammar.load().texts(np.full(3, REGISTERS.index("wave")), stance, rows % 2 == 0, bits)
    assert alone.texts.to_pylist() == [voices("wave").texts.to_pylist()[row] for row in rows]


def test_some_texts_are_lowered_some_shouted_and_some_mistyped() -> None:
    """Phrases occur as written, in lower case, in upper case and with swapped letters."""
    texts = voices("wave").texts.to_pylist()
    assert any("THE SPACE CRASHED" in text for text in texts)
    assert any("luanch" in text or "sevrers" in text or "serevrs" in text for text in texts)
    assert any(re.match(r"i was kicked out", text) for text in texts)
