"""What a row of an event file may say: the fields, by the names the tape has for them."""

from typing import Final

from streams.contract.events import PresenceKind, TweetKind

PRESENCE_KINDS: Final = tuple(str(kind) for kind in PresenceKind)
POST_KINDS: Final = tuple(str(kind) for kind in TweetKind)
KINDS: Final = (*PRESENCE_KINDS, *POST_KINDS)
IGNORE: Final = "ignore"
"""What a kind can be mapped to besides ``KINDS``: such rows are left out."""

REQUIRED: Final = ("at", "person")
"""Without these a file says nothing."""
KIND: Final = "kind"
PRESENCE_FIELDS: Final = ("space", "client", "try", "reason", "since_drop_ms")
POST_FIELDS: Final = ("tweet_id", "conversation", "ref", "text", "hashtags", "lang")
LABELS: Final = ("label_stance", "label_subject", "label_effect")
FIELDS: Final = (*REQUIRED, KIND, *PRESENCE_FIELDS, *POST_FIELDS, *LABELS)
"""Everything a column can be mapped to."""
ROW: Final = "row"
"""Number of the row in its file, the first one (after a header) being 1."""
FILE: Final = "file"
"""Number of the file a row stems from: 0, or 1 for the file of posts."""
