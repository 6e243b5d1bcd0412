"""The fields a row of an event file may fill, by the names the tape has for them."""

from typing import Final

from streams.contract.events import PresenceKind, TweetKind

PRESENCE_KINDS: Final = tuple(str(kind) for kind in PresenceKind)
POST_KINDS: Final = tuple(str(kind) for kind in TweetKind)
KINDS: Final = (*PRESENCE_KINDS, *POST_KINDS)
IGNORE: Final = "ignore"
"""What a kind can be mapped to besides ``KINDS``: such rows are left out."""

REQUIRED: Final = ("at", "person")
"""Fields every file must have."""
KIND: Final = "kind"
LEAVE_AT: Final = "leave_at"
DURATION: Final = "duration"
STAY_FIELDS: Final = (LEAVE_AT, DURATION)
"""With one of them a row is a whole stay: a join and, where the field has a value, a leave."""
PRESENCE_FIELDS: Final = ("space", "client", "try", "reason", "since_drop_ms")
POST_FIELDS: Final = ("tweet_id", "conversation", "ref", "text", "hashtags", "lang")
LABELS: Final = ("label_stance", "label_subject", "label_effect")
FIELDS: Final = (*REQUIRED, KIND, *STAY_FIELDS, *PRESENCE_FIELDS, *POST_FIELDS, *LABELS)
"""Every field a column can be mapped to."""
ROW: Final = "row"
"""Number of the row in its file; the first row after a header is 1."""
FILE: Final = "file"
"""Number of the row's file: 0, or 1 for the file of posts."""
ORDER: Final = "order"
"""Place of an event among those of its file, by time; events of one time keep the order of their rows."""
