"""What a tweet is about: the documented rule of run.info, once per tweet and once for whole columns.

The first rule that holds gives the subject, else it is ``other``. A rule holds when the conversation is one of its
conversations, or a hashtag one of its hashtags, or the text, lower-cased with ASCII rules, contains one of its words.
Words are looked for as they stand: a word with an upper-case ASCII letter is never found.
"""

from collections.abc import Sequence

import polars as pl

from streams.contract.events import Tweet
from streams.contract.names import OTHER
from streams.contract.runinfo import SubjectRule


def subject_of(tweet: Tweet, rules: Sequence[SubjectRule]) -> str:
    """Return the subject of one tweet."""
    text = ascii_lower(tweet.text)
    for rule in rules:
        if (
            tweet.conversation in rule.conversations
            or any(tag in rule.hashtags for tag in tweet.hashtags)
            or any(word in text for word in rule.words)
        ):
            return rule.subject
    return OTHER


def subject_names(rules: Sequence[SubjectRule]) -> tuple[str, ...]:
    """Return every subject the rules can give, in their order, ``other`` last; the categories of ``subject_expr``."""
    return tuple(dict.fromkeys([*(rule.subject for rule in rules if rule.subject != OTHER), OTHER]))


def subject_expr(
    rules: Sequence[SubjectRule],
    *,
    conversation: str = "conversation",
    hashtags: str = "hashtags",
    text: str = "text",
) -> pl.Expr:
    """Return the same rule as an expression over columns, an Enum of ``subject_names(rules)``.

    Args:
        rules: In order.
        conversation: Name of the column of conversation ids (strings).
        hashtags: Name of the column of hashtag lists (a null list is an empty one).
        text: Name of the column of texts.
    """
    subject = pl.repeat(OTHER, pl.len())  # a bare literal would not have the columns' length
    for rule in reversed(rules):
        holds = _holds(rule, pl.col(conversation), pl.col(hashtags), pl.col(text))
        subject = pl.when(holds).then(pl.lit(rule.subject)).otherwise(subject)
    return subject.cast(pl.Enum(subject_names(rules)))


def ascii_lower(text: str) -> str:
    """Lower-case A to Z and nothing else, so that every language agrees on the outcome."""
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def _holds(rule: SubjectRule, conversation: pl.Expr, hashtags: pl.Expr, text: pl.Expr) -> pl.Expr:
    tests = [conversation.is_in(list(rule.conversations))] if rule.conversations else []
    tests += [hashtags.list.contains(tag).fill_null(value=False) for tag in rule.hashtags]
    words = [word for word in rule.words if word == ascii_lower(word)]
    if words:
        tests.append(text.str.contains_any(words, ascii_case_insensitive=True))
    return pl.any_horizontal(tests) if tests else pl.lit(value=False)
