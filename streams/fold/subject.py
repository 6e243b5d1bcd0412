"""What a tweet is about: the documented rule of run.info.

The first rule that holds gives the subject, else it is ``other``. A rule holds when the conversation is one of its
conversations, or a hashtag one of its hashtags, or the text, lower-cased with ASCII rules, contains one of its words.
Words are looked for as they stand: a word with an upper-case ASCII letter is never found.
"""

from collections.abc import Sequence

from streams.contract.events import Tweet
from streams.contract.names import OTHER
from streams.contract.runinfo import SubjectRule


def subject_of(tweet: Tweet, rules: Sequence[SubjectRule]) -> str:
    """Return the subject of one tweet."""
    return subject_by(tweet.conversation, tweet.hashtags, tweet.text, rules)


def subject_by(conversation: str, hashtags: Sequence[str], text: str, rules: Sequence[SubjectRule]) -> str:
    """Return the subject by what the rules ask for."""
    lowered = ascii_lower(text)
    for rule in rules:
        if (
            conversation in rule.conversations
            or any(tag in rule.hashtags for tag in hashtags)
            or any(word in lowered for word in rule.words)
        ):
            return rule.subject
    return OTHER


def subject_names(rules: Sequence[SubjectRule]) -> tuple[str, ...]:
    """Return every subject the rules can give, in their order, ``other`` last."""
    return tuple(dict.fromkeys([*(rule.subject for rule in rules if rule.subject != OTHER), OTHER]))


def ascii_lower(text: str) -> str:
    """Lower-case A to Z and nothing else, so that every language agrees on the outcome."""
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")
