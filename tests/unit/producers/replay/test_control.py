"""The deck over HTTP: every command arrives, what cannot be is refused, and web pages are not obeyed."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from joinstorm.cli import main
from joinstorm.commands.control import command
from producers.replay import control, deckserver
from producers.replay.control import ControlClient, ControlServer
from producers.replay.deck import Deck, Jump, Pause, Resume, SetSpeed, Shift, Step, Stop, Toggle
from producers.tape.tapefile import Tape
from streams.contract.runinfo import RunInfo
from streams.errors import EXIT_ENVIRONMENT, EXIT_USAGE, EnvironmentMissingError, UsageError
from tests.replaying import info_of
from tests.tinytape import START, tiny_tape


@pytest.fixture
def info(tmp_path: Path) -> RunInfo:
    """Return a run."""
    return info_of(Tape.open(tiny_tape(tmp_path / "night.parquet").path))


@pytest.fixture
def deck(info: RunInfo) -> Deck:
    """Return a deck of a replay that does not obey yet."""
    deck = Deck()
    deck.show(info, at=START, state="starting", phase="open", speed=60.0)
    return deck


@pytest.fixture
def server(deck: Deck, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlServer]:
    """Serve it; its address is left where only this test looks."""
    monkeypatch.setattr(control, "address_folder", lambda: tmp_path / "addresses")
    with ControlServer(deck) as server:
        yield server


def test_every_command_arrives(server: ControlServer, deck: Deck) -> None:
    """Each method of the client is one command on the deck, in order, and answers with the state."""
    client = ControlClient.find(run="test")
    answers = [
        client.pause(), client.resume(), client.set_speed(7), client.set_speed("max"), client.step("1m"),
        client.jump("+5s"), client.toggle(), client.stop(),
    ]  # fmt: skip
    assert all(answer["run"] == "test" and answer["state"] == "starting" for answer in answers)
    given = [deck.take() for _ in range(8)]
    assert given == [Pause(), Resume(), SetSpeed(7.0), SetSpeed(0.0), Step(60_000), Shift(5_000), Toggle(), Stop()]
    assert deck.take() is None


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/speed", b"{}", 400),
        ("/speed", b'{"speed": 0}', 400),
        ("/jump", b'{"moment": "nowhere"}', 400),
        ("/jump", b"[]", 400),
        ("/step", b"no json", 400),
        ("/eject", b"{}", 404),
    ],
)
def test_what_cannot_be_is_refused(server: ControlServer, deck: Deck, path: str, body: bytes, code: int) -> None:
    """A refused request gets the reason, and the deck stays as it was."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(server.url + path, body), timeout=5)
    with refused.value as answer:
        assert answer.code == code
        assert json.load(answer)["error"]
    assert deck.take() is None


def test_web_pages_are_not_obeyed(server: ControlServer, deck: Deck) -> None:
    """A request with an Origin, as a page in a browser would send it, is refused."""
    request = urllib.request.Request(server.url + "/stop", b"{}", {"Origin": "http://example.org"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=5)
    with refused.value as answer:
        assert answer.code == 403
    assert deck.take() is None


def test_the_command_line_controls(server: ControlServer, deck: Deck, info: RunInfo) -> None:
    """``joinstorm control`` finds the replay of this machine, gives the command and shows the state."""
    run = CliRunner().invoke
    assert "open 60x starting" in run(command, ["pause"]).output
    assert json.loads(run(command, ["--format", "json", "--url", server.url, "state"]).output)["events"] == info.events
    assert run(command, ["speed", "max"]).exit_code == 0
    assert run(command, ["jump", "--", "-1s"]).exit_code != 0
    assert run(command, ["step"]).exit_code == 0
    assert [deck.take() for _ in range(3)] == [Pause(), SetSpeed(0.0), Step(5_000)]


def test_an_answer_has_the_state_after_the_command(server: ControlServer, deck: Deck, info: RunInfo) -> None:
    """The answer waits until the replay has obeyed; before, the state is the old one."""
    deck.show(info, state="playing")
    over = threading.Event()
    states = {Pause(): "paused", Resume(): "playing", Jump(info.phases[1].start): "moving", Stop(): "stopped"}

    def obey() -> None:
        while not over.wait(0.001):
            if (given := deck.take()) is not None:
                deck.show(info, state=states[given])

    replay = threading.Thread(target=obey)
    replay.start()
    try:
        client, phase = ControlClient(server.url), info.phases[1].name
        answers = [client.pause(), client.resume(), client.jump(phase), client.stop()]
    finally:
        over.set()
        replay.join()
    assert [answer["state"] for answer in answers] == ["paused", "playing", "moving", "stopped"]


def test_a_replay_that_does_not_obey_in_time_is_shown_as_it_is(
    server: ControlServer, deck: Deck, info: RunInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replay that is busy with a slow broker keeps no client waiting."""
    monkeypatch.setattr(deckserver, "OBEY_SECONDS", 0.01)
    deck.show(info, state="playing")
    assert ControlClient(server.url).pause()["state"] == "playing"


def test_refusals_have_exit_codes(server: ControlServer) -> None:
    """A refused command is a usage error, a replay that is not there a missing part of the surroundings."""
    assert main(["control", "jump", "nowhere"]) == EXIT_USAGE
    assert main(["control", "--run", "other", "pause"]) == EXIT_ENVIRONMENT
    assert main(["control", "--url", "http://127.0.0.1:1", "pause"]) == EXIT_ENVIRONMENT
    assert main(["control", "--url", "127.0.0.1", "pause"]) == EXIT_USAGE


@pytest.mark.parametrize("url", ["127.0.0.1:80", "http://", "http://host:port", "http://host:99999", "http://[", ""])
def test_an_address_that_is_none_is_a_usage_error(url: str) -> None:
    """An address without scheme, host or a possible port is refused with the form expected."""
    with pytest.raises(UsageError, match="expected http://HOST:PORT"):
        ControlClient(url).state()


def test_another_server_at_the_address_is_no_replay() -> None:
    """A server that answers in another way than the deck is named, whatever it answers."""
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as other:
        thread = threading.Thread(target=other.handle_request)
        thread.start()
        url = f"http://127.0.0.1:{other.server_address[1]}"
        with pytest.raises(EnvironmentMissingError, match=f"no replay answers at {url}: HTTP Error 501"):
            ControlClient(url).pause()
        thread.join()


def test_an_address_that_cannot_be_published(deck: Deck, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deck that cannot publish its address is not served: the file and the reason are named."""
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(control, "address_folder", lambda: tmp_path / "file" / "addresses")
    with pytest.raises(EnvironmentMissingError, match=r"addresses/.*: the deck's address cannot be written: Not a dir"):
        ControlServer(deck).__enter__()


def test_a_taken_port_is_named(server: ControlServer) -> None:
    """Two decks on one port: the error of the second names the option that helps."""
    port = int(server.url.rsplit(":", 1)[1])
    with pytest.raises(EnvironmentMissingError, match="--control"):
        ControlServer(Deck(), port=port)


def test_a_replay_that_ended_is_not_found(deck: Deck, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address goes with it; one left behind by a killed replay is passed over."""
    monkeypatch.setattr(control, "address_folder", lambda: tmp_path)
    with ControlServer(deck):
        assert ControlClient.find().state()["run"] == "test"
    (tmp_path / "1.json").write_text('{"url": "http://127.0.0.1:1", "pid": 1, "started": 0}')
    (tmp_path / "2.json").write_text("garbage")
    with pytest.raises(EnvironmentMissingError, match="no replay of run test is running"):
        ControlClient.find(run="test")


def test_relative_jumps_need_a_night(deck: Deck) -> None:
    """Relative moments are checked against where the deck shows it is."""
    with pytest.raises(UsageError, match="outside the night"):
        deck.jump("-5m")
