"""Types of a scenario's fields, with their bounds, that several sections share."""

from typing import Annotated

import msgspec
from msgspec import Meta

Share = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[float, Meta(gt=0, le=1e9)]
Minutes = Annotated[float, Meta(gt=0, le=1440)]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A section of a scenario; unknown fields are refused."""
