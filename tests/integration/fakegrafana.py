"""A small Grafana for tests: the endpoints publishing uses, answering as the HTTP API's documentation says they do."""

import base64
import copy
import http.server
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeAlias
from urllib.parse import parse_qs, urlsplit

Json: TypeAlias = dict[str, Any]
Answer: TypeAlias = tuple[int, Any]

TOKEN = "glsa_test"
USER, PASSWORD = "admin", "secret word"
VIEWER_TOKEN = "glsa_viewer"
_ROUTES = (
    ("GET", r"/api/folders/([^/]+)", "get_folder"),
    ("POST", r"/api/folders", "post_folder"),
    ("PUT", r"/api/folders/([^/]+)", "put_folder"),
    ("GET", r"/api/datasources/uid/([^/]+)", "get_source"),
    ("POST", r"/api/datasources", "post_source"),
    ("PUT", r"/api/datasources/uid/([^/]+)", "put_source"),
    ("GET", r"/api/dashboards/uid/([^/]+)", "get_board"),
    ("GET", r"/api/dashboards/uid/([^/]+)/versions", "get_versions"),
    ("POST", r"/api/dashboards/db", "post_board"),
    ("GET", r"/api/annotations", "get_annotations"),
    ("POST", r"/api/annotations", "post_annotation"),
    ("DELETE", r"/api/annotations/(\d+)", "delete_annotation"),
)


@dataclass
class FakeGrafana:
    """Context manager: a Grafana on a free port of the loopback, its database in plain attributes."""

    prefix: str = ""
    pages_versions: bool = False
    """Newer Grafanas wrap the list of versions to page through it."""
    folders: dict[str, Json] = field(default_factory=dict)
    sources: dict[str, Json] = field(default_factory=dict)
    boards: dict[str, Json] = field(default_factory=dict)
    versions: dict[str, list[Json]] = field(default_factory=dict)
    annotations: dict[int, Json] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    """Every request that changed something."""
    before_save: Callable[[], object] | None = None
    """Called once before the next board is saved: somebody else is quicker."""
    page: str = ""
    """Answer every request with this HTML instead."""

    def __enter__(self) -> Self:
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length) or b"null")
                status, answer = fake.answer(self.command, self.path, self.headers.get("Authorization", ""), body)
                data = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html" if isinstance(answer, str) else "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 - http.server calls these

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
                """Keep the test's output clean."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Address of the start page."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{self.prefix}"

    def answer(self, method: str, target: str, authorization: str, body: Any) -> Answer:
        """Route one request."""
        if self.page:
            return 200, self.page
        parts = urlsplit(target)
        refused = self._refuse(method, authorization)
        if refused:
            return refused
        for known, pattern, name in _ROUTES:
            match = re.fullmatch(self.prefix + pattern, parts.path)
            if known == method and match:
                if method != "GET":
                    self.writes.append(f"{method} {parts.path}")
                arguments = list(match.groups())
                if name == "get_annotations":
                    return self.get_annotations(parse_qs(parts.query).get("tags", []))
                result: Answer = getattr(self, name)(*arguments, *([body] if method in ("POST", "PUT") else []))
                return result
        return 404, {"message": "Not found"}

    def _refuse(self, method: str, authorization: str) -> Answer | None:
        basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if authorization == f"Bearer {VIEWER_TOKEN}":
            if method == "GET":
                return None
            return 403, {
                "accessErrorId": "ACE1",
                "message": "You'll need additional permissions to perform this action",
            }
        if authorization not in (f"Bearer {TOKEN}", f"Basic {basic}"):
            return 401, {"message": "Invalid API key", "messageId": "api-key.invalid", "statusCode": 401, "traceID": ""}
        return None

    def get_folder(self, uid: str) -> Answer:
        """``GET /api/folders/:uid``."""
        found = self.folders.get(uid)
        return (200, found) if found else (404, {"message": "folder not found", "status": "not-found"})

    def post_folder(self, body: Json) -> Answer:
        """``POST /api/folders``."""
        if body["uid"] in self.folders:
            return 409, {"message": "a folder/dashboard with the same uid already exists"}
        self.folders[body["uid"]] = {"id": 1, "uid": body["uid"], "title": body["title"], "version": 1}
        return 200, self.folders[body["uid"]]

    def put_folder(self, uid: str, body: Json) -> Answer:
        """``PUT /api/folders/:uid``."""
        folder = self.folders[uid]
        if not body.get("overwrite") and body.get("version") != folder["version"]:
            return 412, {"message": "The folder has been changed by someone else", "status": "version-mismatch"}
        folder.update(title=body["title"], version=folder["version"] + 1)
        return 200, folder

    def get_source(self, uid: str) -> Answer:
        """``GET /api/datasources/uid/:uid``."""
        found = self.sources.get(uid)
        return (200, found) if found else (404, {"message": "Data source not found"})

    def post_source(self, body: Json) -> Answer:
        """``POST /api/datasources``."""
        if any(source["name"] == body["name"] for source in self.sources.values()):
            return 409, {"message": "data source with the same name already exists"}
        return self._keep_source(body)

    def put_source(self, uid: str, body: Json) -> Answer:
        """``PUT /api/datasources/uid/:uid``."""
        assert uid in self.sources
        return self._keep_source(body)

    def _keep_source(self, body: Json) -> Answer:
        own = {"id": 1, "orgId": 1, "typeLogoUrl": "", "basicAuth": False, "secureJsonFields": {}, "readOnly": False}
        self.sources[body["uid"]] = {**own, **copy.deepcopy(body)}
        return 200, {"datasource": self.sources[body["uid"]], "id": 1, "message": "Datasource added"}

    def get_board(self, uid: str) -> Answer:
        """``GET /api/dashboards/uid/:uid``."""
        found = self.boards.get(uid)
        return (200, found) if found else (404, {"message": "Dashboard not found", "status": "not-found"})

    def get_versions(self, uid: str) -> Answer:
        """``GET /api/dashboards/uid/:uid/versions``, newest first."""
        newest_first = self.versions[uid][::-1]
        return 200, {"continueToken": "", "versions": newest_first} if self.pages_versions else newest_first

    def post_board(self, body: Json) -> Answer:
        """``POST /api/dashboards/db``."""
        if self.before_save:
            quicker, self.before_save = self.before_save, None
            quicker()
        board = body["dashboard"]
        there = self.boards.get(board["uid"])
        if body["folderUid"] not in self.folders:
            return 400, {"message": "folder not found"}
        if there and there["meta"]["provisioned"]:
            return 400, {"message": "Cannot save provisioned dashboard"}
        if there and not body["overwrite"] and board.get("version") != there["dashboard"]["version"]:
            return 412, {"message": "The dashboard has been changed by someone else", "status": "version-mismatch"}
        version = self.keep_board(board, body["folderUid"], body["message"])
        return 200, {"id": 1, "uid": board["uid"], "status": "success", "version": version}

    def keep_board(self, board: Json, folder: str, message: str) -> int:
        """Store a board as its next version, as saving it in the browser does too."""
        versions = self.versions.setdefault(board["uid"], [])
        number = len(versions) + 1
        stored = {**copy.deepcopy(board), "id": 7, "version": number}
        self.boards[board["uid"]] = {"dashboard": stored, "meta": {"folderUid": folder, "provisioned": False}}
        versions.append({"id": number, "version": number, "message": message, "createdBy": "admin"})
        return number

    def get_annotations(self, tags: list[str]) -> Answer:
        """``GET /api/annotations?tags=…``: those with all the tags."""
        return 200, [one for one in self.annotations.values() if set(tags) <= set(one["tags"])]

    def post_annotation(self, body: Json) -> Answer:
        """``POST /api/annotations``."""
        number = max(self.annotations, default=0) + 1
        self.annotations[number] = {"id": number, "dashboardId": 0, **body}
        return 200, {"message": "Annotation added", "id": number}

    def delete_annotation(self, number: str) -> Answer:
        """``DELETE /api/annotations/:id``."""
        del self.annotations[int(number)]
        return 200, {"message": "Annotation deleted"}
