"""HTTP to servers of joinstorm's own, past any proxy: a proxy knows nothing of this machine's loopback interface."""

import urllib.request
from typing import Any

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def open_directly(request: str | urllib.request.Request, seconds: float) -> Any:
    """Return the response to a request, as ``urllib.request.urlopen`` does, whatever ``http_proxy`` says.

    Args:
        request: An address or a request; the caller vouches for its scheme.
        seconds: How long each step may take.

    Raises:
        OSError: The server does not answer, or answers with an error (``urllib.error.HTTPError``).
    """
    return _DIRECT.open(request, timeout=seconds)
