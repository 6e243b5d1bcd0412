"""A thin client over grafana-api for the parts of Grafana's HTTP API that publishing needs.

Every failure becomes an error whose text says what to do; "not found" (404) is an answer, not a failure.
"""

import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeAlias

from grafana_api.grafana_api import GrafanaException
from grafana_api.grafana_face import GrafanaFace

from streams.errors import EnvironmentMissingError, JoinstormError, UsageError

Json: TypeAlias = dict[str, Any]

TOKEN_VARIABLE = "JOINSTORM_GRAFANA_TOKEN"  # noqa: S105 - the name of the variable, not a token
USER_VARIABLE = "JOINSTORM_GRAFANA_USER"
PASSWORD_VARIABLE = "JOINSTORM_GRAFANA_PASSWORD"  # noqa: S105 - the name of the variable, not a password
HOW_TO_LOG_IN = (
    f"set {TOKEN_VARIABLE} (a service account token with the role Admin), or {USER_VARIABLE} and {PASSWORD_VARIABLE}"
)

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
NOT_FOUND = 404
UNAUTHORIZED = 401
CONFLICT = 409
FORBIDDEN = 403
PRECONDITION_FAILED = 412
_ANNOTATIONS_LIMIT = 1000
"""Grafana's default is 100, and its answer does not tell that it was truncated."""


@dataclass(frozen=True)
class Login:
    """The login at Grafana: a token, or a user with a password; secrets stay out of ``repr``."""

    token: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the login from the environment; a token takes precedence over a password.

        Raises:
            EnvironmentMissingError: Neither is set, or the password is missing.
        """
        login = cls(environ.get(TOKEN_VARIABLE, ""), environ.get(USER_VARIABLE, ""), environ.get(PASSWORD_VARIABLE, ""))
        if not login.token and not (login.user and login.password):
            raise EnvironmentMissingError(f"no login for Grafana: {HOW_TO_LOG_IN}")
        return login

    def auth(self) -> str | tuple[str, str]:
        """Return the ``auth`` argument of grafana-api."""
        return self.token or (self.user, self.password)


class Grafana:
    """Context manager: one Grafana, one login.

    Args:
        url: The address of Grafana's start page, including its path if it has one.
        login: Token or user.
        seconds: How long one request may take.

    Raises:
        UsageError: ``url`` is no address.
    """

    def __init__(self, url: str, login: Login, *, seconds: float = 10.0) -> None:
        parts = _split(url)
        self.url = url.rstrip("/")
        path = parts.path.strip("/")
        self._face = GrafanaFace(
            auth=login.auth(),
            host=f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname,
            port=parts.port,
            protocol=parts.scheme,
            url_path_prefix=f"{path}/" if path else "",
            timeout=seconds,
        )
        if parts.hostname in _LOOPBACK:  # which a proxy cannot reach
            self._face.api.s.trust_env = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._face.api.s.close()

    def folder(self, uid: str) -> Json | None:
        """Return a folder; None where there is none."""
        return self._optional(lambda: self._face.folder.get_folder(uid))

    def create_folder(self, uid: str, title: str) -> None:
        """Create a folder at the top level."""
        self._ask(lambda: self._face.folder.create_folder(title, uid))

    def rename_folder(self, uid: str, title: str) -> None:
        """Change the title of a folder, whatever its version."""
        self._ask(lambda: self._face.folder.update_folder(uid, title, overwrite=True))

    def data_source(self, uid: str) -> Json | None:
        """Return a data source; None where there is none."""
        return self._optional(lambda: self._face.api.GET(f"/datasources/uid/{uid}"))

    def create_data_source(self, model: Json) -> None:
        """Create a data source.

        Raises:
            NameTakenError: Another data source has its name.
        """
        self._ask(lambda: self._face.datasource.create_datasource(model))

    def update_data_source(self, model: Json) -> None:
        """Overwrite the data source with the same uid."""
        self._ask(lambda: self._face.api.PUT(f"/datasources/uid/{model['uid']}", json=model))

    def board(self, uid: str) -> Json | None:
        """Return ``{"dashboard": …, "meta": …}`` of a board; None where there is none."""
        return self._optional(lambda: self._face.dashboard.get_dashboard(uid))

    def last_message(self, uid: str) -> str:
        """Return the message of the board's newest version; empty where Grafana shows none."""
        found: Any = self._ask(lambda: self._face.api.GET(f"/dashboards/uid/{uid}/versions?limit=1"))
        # Newer Grafanas wrap the list for paging.
        versions = found["versions"] if isinstance(found, dict) else found
        return str(versions[0].get("message") or "") if versions else ""

    def save_board(self, model: Json, folder: str, message: str, *, overwrite: bool) -> None:
        """Save a board; without ``overwrite``, only if it has not been saved since the version in ``model``."""
        body = {"dashboard": model, "folderUid": folder, "message": message, "overwrite": overwrite}
        self._ask(lambda: self._face.dashboard.update_dashboard(body))

    def annotations(self, tags: list[str]) -> list[Json]:
        """Return the organisation's annotations that have all these tags."""
        quoted = [urllib.parse.quote(tag, safe="") for tag in tags]
        found: list[Json] = self._ask(
            lambda: self._face.annotations.get_annotation(tags=quoted, limit=_ANNOTATIONS_LIMIT)
        )
        return found

    def add_annotation(self, start: int, end: int, tags: list[str], text: str) -> None:
        """Add a time range (milliseconds since the epoch) to the organisation's annotations."""
        self._ask(lambda: self._face.annotations.add_annotation(time_from=start, time_to=end, tags=tags, text=text))

    def delete_annotation(self, annotation: int) -> None:
        """Remove an annotation."""
        self._ask(lambda: self._face.annotations.delete_annotations_by_id(annotation))

    def _optional(self, request: Callable[[], Any]) -> Json | None:
        try:
            found = self._ask(request)
        except _NotFoundError:
            return None
        if not isinstance(found, dict):
            raise self._not_grafana()
        return found

    def _ask(self, request: Callable[[], Any]) -> Any:
        """Send a request; every failure becomes an error that says what to do."""
        try:
            return request()
        except GrafanaException as refused:
            raise self._refusal(refused) from None
        except (ValueError, TypeError):  # before OSError: requests' JSON error is both
            raise self._not_grafana() from None
        except OSError as unreachable:
            raise EnvironmentMissingError(
                f"no Grafana answers at {self.url} ({type(unreachable).__name__}); give its address with --url"
            ) from None

    def _not_grafana(self) -> JoinstormError:
        return EnvironmentMissingError(
            f"{self.url} answers, but not as Grafana does; expected the address of its start page"
        )

    def _refusal(self, refused: Any) -> JoinstormError:
        if refused.status_code == NOT_FOUND:
            return _NotFoundError(f"{self.url}: {refused.message}")
        if refused.status_code == CONFLICT:
            return NameTakenError(f"{self.url}: {refused.message}")
        if refused.status_code == UNAUTHORIZED:
            return EnvironmentMissingError(f"Grafana at {self.url} does not accept the login; {HOW_TO_LOG_IN}")
        if refused.status_code == FORBIDDEN:
            return EnvironmentMissingError(
                f"the login is not allowed to do this on {self.url} ({refused.message}); "
                "folders, data sources and annotations need the role Admin"
            )
        if refused.status_code == PRECONDITION_FAILED:
            return EnvironmentMissingError(f"{self.url}: {refused.message}; nothing was overwritten, publish again")
        return EnvironmentMissingError(f"Grafana at {self.url} refuses: {refused.message}")


class NameTakenError(EnvironmentMissingError):
    """Grafana has another object with this name."""


class _NotFoundError(EnvironmentMissingError):
    """Grafana has no such object; a failure only where it must exist."""


def _split(url: str) -> urllib.parse.SplitResult:
    parts = urllib.parse.urlsplit(url)
    try:
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        port_is_valid = False
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_valid:
        raise UsageError(f"{url!r} is no address of a Grafana: expected http://host[:port][/path]")
    return parts
