"""Subject and stance by example: which rule takes a tweet, which cue decides."""

import pytest

from streams.contract.events import Tweet, TweetKind
from streams.contract.results import STANCES
from streams.contract.runinfo import SubjectRule
from streams.fold.stance import LEXICON, NEUTRAL, stance_of
from streams.fold.subject import ascii_lower, subject_names, subject_of

RULES = (
    SubjectRule("announcement", conversations=("7",), hashtags=("farewell",), words=("nest",)),
    SubjectRule("launch", hashtags=("night",), words=("launch", "server")),
)


def tweet(text: str = "", conversation: str = "1", hashtags: tuple[str, ...] = ()) -> Tweet:
    """Return a tweet with what the rule looks at."""
    kind = TweetKind.POST
    return Tweet(0, 0, kind, "1", 0, conversation, text, "en", 1, hashtags)


@pytest.mark.parametrize(
    ("given", "subject"),
    [
        (tweet("nothing to see"), "other"),
        (tweet("The LAUNCH is on"), "launch"),
        (tweet("servers melt"), "launch"),
        (tweet("hello", hashtags=("night",)), "launch"),
        (tweet("hello", hashtags=("Night",)), "other"),
        (tweet("still nothing", conversation="7"), "announcement"),
        (tweet("the launch, and he leaves the nest"), "announcement"),
        (tweet("launch", hashtags=("night", "farewell")), "announcement"),
    ],
)
def test_the_first_rule_that_holds_gives_the_subject(given: Tweet, subject: str) -> None:
    """Conversation, hashtag or word, whichever; the earlier rule wins; without any it is other."""
    assert subject_of(given, RULES) == subject


def test_lower_case_is_that_of_ascii() -> None:
    """Only A to Z change: letters that other languages lower differently, or into ASCII, stay as they are."""
    assert ascii_lower("ÄK\N{KELVIN SIGN}İZ\ud800") == "Äk\N{KELVIN SIGN}İz\ud800"


def test_the_names_of_subjects_come_once_each_and_other_last() -> None:
    """Rules may share a subject, and one may even give other."""
    rules = (*RULES, SubjectRule("other"), SubjectRule("launch", words=("x",)))
    assert subject_names(rules) == ("announcement", "launch", "other")


@pytest.mark.parametrize(
    ("text", "stance"),
    [
        ("the room opens at six", "neutral"),
        ("THANK you all", "thanks"),
        ("I wonder why", "speculation"),
        ("what a joke, lol", "mockery"),
        ("they should have tested it", "blame"),
        ("keep going", "support"),
        ("great start 😂", "mockery"),
        ("thank you for this joke", "mockery"),
    ],
)
def test_the_stance_with_the_most_points_wins(text: str, stance: str) -> None:
    """Strong cues outweigh weak ones, the order of the lexicon settles ties, no cue is neutral."""
    assert stance_of(text) == stance


def test_every_stance_but_neutral_has_cues_in_lower_case() -> None:
    """The lexicon covers the contract's stances, and no cue could never be found."""
    assert {*LEXICON, NEUTRAL} == set(STANCES)
    cues = [cue for cues in LEXICON.values() for cue in (*cues.strong, *cues.weak)]
    assert all(cue == ascii_lower(cue) for cue in cues)
    assert len(set(cues)) == len(cues)
