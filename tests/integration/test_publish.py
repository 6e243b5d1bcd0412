"""Publishing the boards to a Grafana: idempotent, honest about what changed, careful with hand work."""

import copy
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from dashboards.grafana import Grafana, Json, Login
from dashboards.publish import (
    DATA_SOURCE_NAME,
    DATA_SOURCE_UID,
    FOLDER_UID,
    SECOND_NAME,
    BoardChange,
    PhaseMark,
    Publication,
    publish,
)
from streams.errors import EnvironmentMissingError, UsageError
from tests.integration.fakegrafana import PASSWORD, TOKEN, USER, VIEWER_TOKEN, FakeGrafana

BOARD: Json = {
    "uid": "joinstorm-launch",
    "title": "The launch",
    "panels": [{"title": "Live audience", "targets": [{"expr": "joinstorm_audience_listeners"}]}],
    "templating": {"list": [{"name": "datasource", "type": "datasource"}, {"name": "engine", "type": "query"}]},
}
WANTED = Publication(
    boards={"joinstorm-launch": BOARD},
    prometheus_url="http://prometheus:9090",
    phases=(PhaseMark("melting", 1_000, 2_000), PhaseMark("talk", 2_000, 9_000)),
    tape="0123456789abcdef",
)


@pytest.fixture
def fake() -> Iterator[FakeGrafana]:
    """Return a running Grafana with an empty database."""
    with FakeGrafana() as running:
        yield running


def bring(
    fake: FakeGrafana, wanted: Publication = WANTED, *, force: bool = False, dry_run: bool = False
) -> dict[str, BoardChange]:
    """Publish with the right token; return the changes by what they are about."""
    with Grafana(fake.url, Login(token=TOKEN)) as grafana:
        return {change.what: change for change in publish(grafana, wanted, force=force, dry_run=dry_run)}


def kinds(changes: dict[str, BoardChange]) -> set[str]:
    """Return the kinds of change that happened."""
    return {change.kind for change in changes.values()}


def altered(board: Json, title: str) -> Json:
    """Return the board after a manual rename of its first panel."""
    other = copy.deepcopy(board)
    other["panels"][0]["title"] = title
    return other


def test_a_taken_name_of_the_data_source_is_no_obstacle(fake: FakeGrafana) -> None:
    """Ours gets a second name and the other one stays; published again, nothing changes."""
    other = {"uid": "by-hand", "name": DATA_SOURCE_NAME, "type": "prometheus", "url": "http://elsewhere:9090"}
    fake.sources["by-hand"] = dict(other)
    assert bring(fake)[f"data source {SECOND_NAME!r}"].kind == "created"
    assert fake.sources[DATA_SOURCE_UID]["name"] == SECOND_NAME
    assert fake.sources["by-hand"] == other
    assert kinds(bring(fake)) == {"unchanged"}


def test_everything_is_created_in_an_empty_grafana(fake: FakeGrafana) -> None:
    """Folder, data source, boards and phases come to be, the board in the folder and on the data source."""
    assert kinds(bring(fake)) == {"created"}
    stored = fake.boards["joinstorm-launch"]
    assert stored["meta"]["folderUid"] == FOLDER_UID
    assert stored["dashboard"]["templating"]["list"][0]["current"]["value"] == DATA_SOURCE_UID
    assert fake.sources[DATA_SOURCE_UID]["url"] == "http://prometheus:9090"
    assert {(one["text"], one["time"], one["timeEnd"]) for one in fake.annotations.values()} == {
        ("melting", 1_000, 2_000),
        ("talk", 2_000, 9_000),
    }


@pytest.mark.parametrize("pages", [False, True])
def test_publishing_again_changes_nothing(fake: FakeGrafana, *, pages: bool) -> None:
    """The second time everything is unchanged and not a single write is sent."""
    fake.pages_versions = pages
    bring(fake)
    fake.writes.clear()
    assert kinds(bring(fake)) == {"unchanged"}
    assert fake.writes == []


def test_a_grafana_that_stores_boards_otherwise_is_no_hand_work(fake: FakeGrafana) -> None:
    """Defaults that Grafana fills in by itself neither look like a change nor keep the next one out."""
    bring(fake)
    fake.boards["joinstorm-launch"]["dashboard"]["weekStart"] = ""
    assert bring(fake)["board 'The launch'"].kind == "unchanged"
    newer = replace(WANTED, boards={"joinstorm-launch": altered(BOARD, "Audience")})
    assert bring(fake, newer)["board 'The launch'"].kind == "updated"


def test_a_new_board_replaces_our_own_old_one(fake: FakeGrafana) -> None:
    """A board we published is updated without force, and the difference is shown."""
    bring(fake)
    change = bring(fake, replace(WANTED, boards={"joinstorm-launch": altered(BOARD, "Audience")}))["board 'The launch'"]
    assert change.kind == "updated"
    assert '-    "title": "Live audience"' in change.diff
    assert '+    "title": "Audience"' in change.diff
    assert fake.boards["joinstorm-launch"]["dashboard"]["panels"][0]["title"] == "Audience"


def test_a_board_changed_by_hand_is_kept_and_shown(fake: FakeGrafana) -> None:
    """A manual version survives; the difference names the change; --force overwrites it."""
    bring(fake)
    fake.keep_board(altered(BOARD, "My audience"), FOLDER_UID, "nicer title")
    kept = bring(fake)["board 'The launch'"]
    assert kept.kind == "kept"
    assert '-    "title": "My audience"' in kept.diff
    assert fake.boards["joinstorm-launch"]["dashboard"]["panels"][0]["title"] == "My audience"
    assert bring(fake, force=True)["board 'The launch'"].kind == "updated"
    assert fake.boards["joinstorm-launch"]["dashboard"]["panels"][0]["title"] == "Live audience"


def test_a_board_moved_by_hand_is_kept(fake: FakeGrafana) -> None:
    """A board moved to another folder is not silently moved back."""
    bring(fake)
    fake.boards["joinstorm-launch"]["meta"]["folderUid"] = "elsewhere"
    kept = bring(fake)["board 'The launch'"]
    assert kept.kind == "kept"
    assert '- "folder": "elsewhere"' in kept.diff


def test_a_folder_renamed_by_hand_is_kept(fake: FakeGrafana) -> None:
    """The folder's title is theirs until --force."""
    bring(fake)
    fake.folders[FOLDER_UID]["title"] = "Launch night"
    assert bring(fake)["folder 'joinstorm'"].kind == "kept"
    assert bring(fake, force=True)["folder 'joinstorm'"].kind == "updated"
    assert fake.folders[FOLDER_UID]["title"] == "joinstorm"


def test_a_data_source_changed_by_hand_is_kept(fake: FakeGrafana) -> None:
    """An address set in the browser stays, and both addresses are shown."""
    bring(fake)
    fake.sources[DATA_SOURCE_UID]["url"] = "http://elsewhere:9090"
    kept = bring(fake)["data source 'joinstorm Prometheus'"]
    assert kept.kind == "kept"
    assert "http://elsewhere:9090" in kept.diff
    assert "http://prometheus:9090" in kept.diff
    bring(fake, force=True)
    assert fake.sources[DATA_SOURCE_UID]["url"] == "http://prometheus:9090"


def test_a_data_source_may_gain_settings(fake: FakeGrafana) -> None:
    """Settings that Grafana adds to ours are no difference."""
    bring(fake)
    fake.sources[DATA_SOURCE_UID]["jsonData"]["prometheusType"] = "Prometheus"
    assert bring(fake)["data source 'joinstorm Prometheus'"].kind == "unchanged"


def test_a_phase_moved_by_hand_is_kept(fake: FakeGrafana) -> None:
    """An annotation of this tape at another time was moved by hand."""
    bring(fake)
    talk = next(one for one in fake.annotations.values() if one["text"] == "talk")
    talk["time"] = 2_500
    assert bring(fake)["annotation 'talk'"].kind == "kept"
    bring(fake, force=True)
    assert {one["time"] for one in fake.annotations.values() if one["text"] == "talk"} == {2_000}


def test_phases_of_another_tape_are_replaced(fake: FakeGrafana) -> None:
    """Two tapes' phases never lie on top of each other; annotations of others stay."""
    bring(fake)
    fake.post_annotation({"text": "deploy", "tags": ["deploy"], "time": 5, "timeEnd": 5})
    changes = bring(fake, replace(WANTED, tape="fedcba9876543210", phases=(PhaseMark("melting", 1_500, 2_500),)))
    assert "2 annotations of another tape: removed" in changes
    assert {(one["text"], one["time"]) for one in fake.annotations.values()} == {("melting", 1_500), ("deploy", 5)}


def test_a_dry_run_writes_nothing(fake: FakeGrafana) -> None:
    """It tells what it would do."""
    assert kinds(bring(fake, dry_run=True)) == {"created"}
    bring(fake)
    fake.keep_board(altered(BOARD, "My audience"), FOLDER_UID, "nicer title")
    fake.folders[FOLDER_UID]["title"] = "Launch night"
    fake.sources[DATA_SOURCE_UID]["url"] = "http://elsewhere:9090"
    fake.annotations[1]["time"] = 7
    fake.writes.clear()
    assert "updated" in kinds(bring(fake, force=True, dry_run=True))
    assert fake.writes == []


def test_without_an_address_data_sources_are_left_alone(fake: FakeGrafana) -> None:
    """A board can start on a data source that is already there."""
    changes = bring(fake, replace(WANTED, prometheus_url="", data_source="their-own"))
    assert fake.sources == {}
    assert "data source 'joinstorm Prometheus'" not in changes
    assert fake.boards["joinstorm-launch"]["dashboard"]["templating"]["list"][0]["current"]["value"] == "their-own"


def test_somebody_who_saves_at_the_same_moment_wins(fake: FakeGrafana) -> None:
    """A version made between our look and our save is not overwritten."""
    bring(fake)
    fake.before_save = lambda: fake.keep_board(altered(BOARD, "My audience"), FOLDER_UID, "quick")
    with pytest.raises(EnvironmentMissingError, match="changed by someone else; nothing was overwritten"):
        bring(fake, replace(WANTED, boards={"joinstorm-launch": altered(BOARD, "Audience")}))
    assert fake.boards["joinstorm-launch"]["dashboard"]["panels"][0]["title"] == "My audience"


def test_provisioned_boards_are_not_published_over(fake: FakeGrafana) -> None:
    """The text says where they can be changed."""
    bring(fake)
    fake.boards["joinstorm-launch"]["meta"]["provisioned"] = True
    with pytest.raises(EnvironmentMissingError, match="provisioned from files"):
        bring(fake, replace(WANTED, boards={"joinstorm-launch": altered(BOARD, "Audience")}))


def test_user_and_password_log_in_too() -> None:
    """Basic login works, also below a path."""
    with FakeGrafana(prefix="/grafana") as fake, Grafana(fake.url, Login(user=USER, password=PASSWORD)) as grafana:
        assert {change.kind for change in publish(grafana, WANTED)} == {"created"}


@pytest.mark.parametrize(
    ("token", "text"),
    [("glsa_wrong", "does not accept the login; set JOINSTORM_GRAFANA_TOKEN"), (VIEWER_TOKEN, "not allowed.*Admin")],
)
def test_a_login_that_does_not_do_says_so(fake: FakeGrafana, token: str, text: str) -> None:
    """A wrong token and one without rights give different errors."""
    with Grafana(fake.url, Login(token=token)) as grafana, pytest.raises(EnvironmentMissingError, match=text):
        publish(grafana, WANTED)


def test_nobody_there_is_said_with_the_address() -> None:
    """A closed port is reported with the address and the option that changes it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    with (
        Grafana(url, Login(token=TOKEN)) as grafana,
        pytest.raises(EnvironmentMissingError, match=f"no Grafana answers at {url}.*--url"),
    ):
        publish(grafana, WANTED)


@pytest.mark.parametrize("page", ["<html>log in</html>", '"a message of something else"'])
def test_something_else_there_is_said(fake: FakeGrafana, page: str) -> None:
    """A proxy's page is not taken for an answer."""
    fake.page = page
    with pytest.raises(EnvironmentMissingError, match="not as Grafana does"):
        bring(fake)


@pytest.mark.parametrize("url", ["grafana:3000", "ftp://grafana", "http://", "http://grafana:port"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """The text shows the form."""
    with pytest.raises(UsageError, match=r"expected http://host"):
        Grafana(url, Login(token=TOKEN))


def test_the_login_comes_from_the_environment() -> None:
    """A token wins over a password; nothing at all is an error that names the variables; secrets are not shown."""
    both = {
        "JOINSTORM_GRAFANA_TOKEN": TOKEN,
        "JOINSTORM_GRAFANA_USER": USER,
        "JOINSTORM_GRAFANA_PASSWORD": PASSWORD,
    }
    assert Login.from_env(both).auth() == TOKEN
    assert Login.from_env({**both, "JOINSTORM_GRAFANA_TOKEN": ""}).auth() == (USER, PASSWORD)
    assert PASSWORD not in repr(Login.from_env(both))
    assert TOKEN not in repr(Login.from_env(both))
    for missing in ({}, {"JOINSTORM_GRAFANA_USER": USER}):
        with pytest.raises(EnvironmentMissingError, match="JOINSTORM_GRAFANA_TOKEN"):
            Login.from_env(missing)
