"""A replay on a clock of its own: what is sent, when, and what the deck makes of it."""

import itertools
from collections.abc import Iterable
from pathlib import Path

import pytest

from joinstorm.cli import main
from producers.compose.lanes import Lane
from producers.replay.deck import Deck
from producers.replay.endings import JumpedBackError, StoppedError
from producers.replay.playback import TICK_SECONDS, Pace, PlaybackRequest
from producers.replay.position import has_ended, load_position
from producers.tape.tapefile import Tape
from streams.contract import runinfo
from streams.contract.events import Mark
from streams.contract.runinfo import Phase
from streams.contract.topics import INPUTS
from streams.errors import EXIT_USAGE, DeliveryError, UsageError
from tests.fulldisk import room_for
from tests.replaying import Player, SlowSender, check_marks, decoded, info_of, play
from tests.tinytape import NIGHT_MS, START, tiny_events, tiny_info, tiny_tape, write_tape


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """Return a small night of 600 seconds."""
    return tiny_tape(tmp_path_factory.mktemp("tape") / "night.parquet", people=60)


def test_every_event_is_sent_once_with_its_marks(tape: Tape) -> None:
    """At full speed: all events, keyed by person, stamped with their event time, watermarks and ends as promised."""
    sent = play(tape)
    check_marks(sent, info_of(tape))
    events = {}
    for (topic, _), records in sent.items():
        for one, (at, key, _) in zip(decoded(topic, records), records, strict=True):
            if isinstance(one, Mark):
                assert key is None
                continue
            person = getattr(one, "listener", None) if topic.startswith(INPUTS[0]) else getattr(one, "author", None)
            assert (at, key) == (one.at, str(person).encode())
            events[one.event_id] = one
    assert [events[number] for number in range(tape.rows)] == tiny_events(people=60)


def test_the_schedule_is_kept(tape: Tape) -> None:
    """At speed 10 the night of 600 s takes 60 s, and everything leaves within a tick of its due time."""
    player = Player(tape, PlaybackRequest(speed=10))
    begun = player.time()
    result = player.play()
    assert player.time() - begun == pytest.approx(NIGHT_MS / 1000 / 10, abs=0.1)
    assert (result.state, result.paced, result.on_time_ratio) == ("ended", tape.rows, 1.0)
    assert result.lateness_max < 0.03
    assert result.sent == tape.rows


def test_lateness_is_measured_not_absorbed(tape: Tape) -> None:
    """A sender that stalls for five seconds is late, catches up at once, and ends on schedule."""
    player = Player(tape, PlaybackRequest(speed=10))
    player.time.at(20, lambda: player.time.sleep(5))
    begun = player.time()
    result = player.play()
    assert player.time() - begun == pytest.approx(60, abs=0.2)
    assert 4.5 < result.lateness_max <= 5.1
    assert 0.8 < result.on_time_ratio < 0.99


def test_the_clock_starts_when_the_topics_are_known(tape: Tape) -> None:
    """A client that takes three seconds to find them makes no record late, and the night as much longer."""

    class Searching(SlowSender):
        def find(self, topics: Iterable[str]) -> None:
            assert list(topics) == sorted(info_of(tape).topics[base] for base in INPUTS)
            player.time.sleep(3)

    player = Player(tape, PlaybackRequest(speed=10))
    player.open = lambda listener: Searching(listener, player.time)  # type: ignore[method-assign] # for this test
    begun = player.time()
    result = player.play()
    assert player.time() - begun == pytest.approx(63, abs=0.1)
    assert result.on_time_ratio == 1.0
    assert result.lateness_max < 0.03


def test_due_records_leave_together_once_a_tick(tape: Tape) -> None:
    """However often a client has news, a batch per lane and tick is all that it is given."""
    left: list[float] = []

    class Eager(SlowSender):
        def send(self, lane: Lane) -> None:
            left.append(player.time())
            super().send(lane)

        def wait(self, seconds: float) -> None:
            super().wait(min(seconds, TICK_SECONDS / 10))

    player = Player(tape, PlaybackRequest(speed=2400))
    player.open = lambda listener: Eager(listener, player.time)  # type: ignore[method-assign] # for this test
    result = player.play()
    moments = sorted(set(left))
    assert len(moments) > 10
    assert min(after - before for before, after in itertools.pairwise(moments)) > 0.9 * TICK_SECONDS
    assert result.lateness_max < 2 * TICK_SECONDS


def test_quiet_phases_are_sent_at_full_speed(tape: Tape) -> None:
    """--skip-quiet: the quiet two minutes take no time, its events are sent, and none of them can be late."""
    player = Player(tape, PlaybackRequest(speed=10, skip_quiet=True))
    begun = player.time()
    result = player.play()
    assert player.time() - begun == pytest.approx(48, abs=0.2)
    assert player.sent == play(tape)
    assert result.paced < tape.rows
    assert result.on_time_ratio == 1.0


def test_a_night_may_end_in_a_quiet_phase(tmp_path: Path) -> None:
    """--skip-quiet to the very end: the end marks, which are due with the end of the rush, are sent as well."""
    info = tiny_info(people=60, phases=(Phase("open", START), Phase("aftermath", START + 400_000, quiet=True)))
    quiet = write_tape(tmp_path / "quiet.parquet", tiny_events(people=60), info)
    player = Player(quiet, PlaybackRequest(speed=10, skip_quiet=True))
    begun = player.time()
    assert player.play().state == "ended"
    assert player.time() - begun == pytest.approx(40, abs=0.2)
    assert player.sent == play(quiet)


def test_a_range_is_paced_and_the_rest_is_sent_all_the_same(tape: Tape) -> None:
    """--from and --until: only what lies between takes time; everything is sent."""
    settings = PlaybackRequest(speed=10, begin=START + 120_000, until=START + 300_000)
    player = Player(tape, settings)
    begun = player.time()
    player.play()
    assert player.time() - begun == pytest.approx(18, abs=0.2)
    assert player.sent == play(tape)


def test_pause_jump_step_and_speed(tape: Tape) -> None:
    """A pause adds its length; a jump and a step add nothing; what was sent is what plain playing sends."""
    player = Player(tape, PlaybackRequest(speed=10))
    begun = player.time()
    deck = player.deck
    player.time.at(5, deck.pause)
    player.time.at(11, lambda: deck.step("10s"))
    player.time.at(15, deck.resume)
    player.time.at(20, lambda: deck.jump("talk"))
    player.time.at(22, lambda: deck.set_speed(100))
    player.play()
    # 0-5 at 10x, stands until 15, 10x from 60 s until 20 (110 s), then talk (300 s), 2 s at 10x, the rest at 100x.
    assert player.time() - begun == pytest.approx(22 + (600 - 320) / 100, abs=0.2)
    assert player.sent == play(tape)


def test_from_as_fast_as_it_goes_to_a_speed(tape: Tape) -> None:
    """Paused at full speed, set to a speed and resumed, the rest is paced from where the sending was."""
    player = Player(tape, PlaybackRequest(speed=10))
    player.time.at(1, lambda: player.deck.set_speed("max"))
    player.play()
    assert player.sent == play(tape)


def test_the_status_tells_how_it_goes(tape: Tape) -> None:
    """run.status is written about once a second, its event time never passes what is acknowledged, and it ends."""
    player = Player(tape, PlaybackRequest(speed=60))
    player.play()
    statuses = [runinfo.decode_status(value) for _, _, value in player.senders[0].published]
    assert 10 <= len(statuses) <= 14
    assert [status.at for status in statuses] == sorted(status.at for status in statuses)
    assert [status.state for status in statuses] == ["playing"] * (len(statuses) - 1) + ["ended"]
    assert (statuses[-1].sent, statuses[-1].at, statuses[-1].failed) == (tape.rows, player.info.end, 0)
    assert statuses[5].actual_speed == pytest.approx(60, rel=0.1)


def test_stopping_says_failed(tape: Tape) -> None:
    """A stopped replay leaves a run whose status is unfinished."""
    player = Player(tape, PlaybackRequest(speed=60))
    player.time.at(3, player.deck.stop)
    with pytest.raises(StoppedError):
        player.play()
    assert runinfo.decode_status(player.senders[0].published[-1][2]).state == "failed"


def test_failed_records_are_counted_by_error(tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record the broker refuses ends the replay, named and counted."""

    class Refusing(SlowSender):
        def wait(self, seconds: float) -> None:  # noqa: ARG002 - no time passes
            if self._unsettled:
                lane = self._unsettled.pop(0)
                self._listener.settled(lane, self._clock(), {"MessageSizeTooLargeError": len(lane)})

    player = Player(tape)
    monkeypatch.setattr(player, "open", lambda listener: Refusing(listener, player.time))
    with pytest.raises(DeliveryError, match=r"\d+ records were not acknowledged: \d+ MessageSizeTooLargeError"):
        player.play()


def test_a_silent_broker_is_given_up_on(tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two minutes without a single acknowledgement end the replay."""

    class Silent(SlowSender):
        def wait(self, seconds: float) -> None:
            self._sleep(max(seconds, 1.0))

    player = Player(tape)
    monkeypatch.setattr(player, "open", lambda listener: Silent(listener, player.time))
    with pytest.raises(DeliveryError, match="no acknowledgement for 120 s"):
        player.play()


def test_a_jump_back_begins_a_new_run(tape: Tape) -> None:
    """Jumping back ends the run unfinished and plays a further one, at full speed up to the moment."""
    player = Player(tape, PlaybackRequest(speed=10))
    player.time.at(30, lambda: player.deck.jump("melting"))
    begun = player.time()
    results = player.play_rounds(PlaybackRequest(speed=10))
    assert [result.run for result in results] == ["test-2"]
    assert player.time() - begun == pytest.approx(30 + 48, abs=0.5)
    assert runinfo.decode_status(player.senders[0].published[-1][2]).state == "moving"
    check_marks(player.senders[1].records, info_of(tape, "test-2"))


def test_a_jump_back_from_a_pause_stays_paused(tape: Tape) -> None:
    """The further run is sent up to the moment, at full speed, and holds there until it is resumed."""
    player = Player(tape, PlaybackRequest(speed=10))
    shown: list[str] = []
    player.time.at(30, player.deck.pause)
    player.time.at(31, lambda: player.deck.jump("melting"))
    player.time.at(40, lambda: shown.append(f"{player.deck.state.state} {player.deck.state.phase}"))
    player.time.at(50, player.deck.resume)
    begun = player.time()
    assert [result.run for result in player.play_rounds(PlaybackRequest(speed=10))] == ["test-2"]
    assert shown == ["paused melting"]
    assert player.time() - begun == pytest.approx(50 + 48, abs=0.5)
    assert [record for records in player.sent.values() for record in records]
    check_marks(player.sent, info_of(tape, "test-2"))


def test_the_deck_shows_that_it_moves(tape: Tape) -> None:
    """On the way to a moment, forwards and backwards, the state is moving; then it is what it was before."""
    player, states = Player(tape, PlaybackRequest(speed=10), least=0.3), list[str]()
    player.deck = Deck(lambda state: states.append(state.state))
    player.time.at(5, lambda: player.deck.jump("talk"))
    player.time.at(10, player.deck.pause)
    player.time.at(11, lambda: player.deck.jump("+20s"))
    player.time.at(15, lambda: player.deck.jump("melting"))
    player.time.at(20, player.deck.stop)
    with pytest.raises(StoppedError):
        player.play_rounds(PlaybackRequest(speed=10))
    changes = [state for state, _ in itertools.groupby(states)]
    assert changes == [
        "starting", "playing", "moving", "playing", "paused", "moving", "paused", "moving", "paused", "stopped",
    ]  # fmt: skip


def test_a_pause_on_the_way_is_a_pause(tape: Tape) -> None:
    """A move that is held half-way shows paused, and moving again when it is resumed."""
    player, states = Player(tape, PlaybackRequest(speed=10), least=0.3), list[str]()
    player.deck = Deck(lambda state: states.append(state.state))
    player.time.at(5, lambda: player.deck.jump("talk"))
    player.time.at(5, player.deck.pause)
    player.time.at(10, player.deck.resume)
    player.time.at(15, player.deck.stop)
    with pytest.raises(StoppedError):
        player.play_rounds(PlaybackRequest(speed=10))
    changes = [state for state, _ in itertools.groupby(states)]
    assert changes == ["starting", "playing", "paused", "moving", "playing", "stopped"]


def test_pressing_pause_twice_at_once_changes_nothing(tape: Tape) -> None:
    """Each toggle counts from the state in which the replay obeys it, not from the one last shown."""
    player = Player(tape, PlaybackRequest(speed=60))
    player.time.at(3, player.deck.toggle)
    player.time.at(3, player.deck.toggle)
    begun = player.time()
    player.play()
    assert player.time() - begun == pytest.approx(10, abs=0.2)


def test_a_loop_after_a_jump_back_is_a_whole_round(tape: Tape) -> None:
    """Only the run that a jump back begins is sent at full speed up to its moment."""
    player = Player(tape, PlaybackRequest(speed=10))
    player.time.at(30, lambda: player.deck.jump("melting"))
    begun = player.time()
    assert len(player.play_rounds(PlaybackRequest(speed=10), rounds=2)) == 2
    assert player.time() - begun == pytest.approx(30 + 48 + 60, abs=0.5)


def test_looping_makes_a_run_of_every_round(tape: Tape) -> None:
    """Three rounds are three runs with the same events."""
    player = Player(tape)
    results = player.play_rounds(PlaybackRequest(), rounds=3)
    assert [(result.run, result.sent) for result in results] == [
        (run, tape.rows) for run in ("test", "test-2", "test-3")
    ]


def test_a_replay_jumped_back_on_directly_says_so(tape: Tape) -> None:
    """Without a session around it a replay cannot begin another run."""
    player = Player(tape, PlaybackRequest(speed=60))
    player.time.at(5, lambda: player.deck.jump("open"))
    with pytest.raises(JumpedBackError):
        player.play()


def test_a_saved_position_says_when_it_is_of_no_use(tape: Tape, tmp_path: Path) -> None:
    """A position of another tape, of a finished run, or damaged is refused."""
    path = tmp_path / "position.json"
    play(tape, path)
    with pytest.raises(UsageError, match="has ended; there is nothing to resume"):
        load_position(path, tape.info.sha256)
    with pytest.raises(UsageError, match="saved on tape"):
        load_position(path, "0" * 64)
    assert has_ended(path)
    path.write_text("{")
    with pytest.raises(UsageError, match="not a saved position"):
        load_position(path, tape.info.sha256)
    with pytest.raises(UsageError, match="no saved position"):
        load_position(tmp_path / "nowhere", tape.info.sha256)
    with pytest.raises(UsageError, match=rf"{tmp_path}: cannot be read: Is a directory"):
        load_position(tmp_path, tape.info.sha256)
    assert not has_ended(path)
    assert not has_ended(tmp_path / "nowhere")


def test_a_position_that_cannot_be_saved_ends_the_replay(tape: Tape, tmp_path: Path) -> None:
    """A folder that is missing, a folder in place of the file, a full disk: path and reason are named."""
    with pytest.raises(UsageError, match=r"none/p\.json: the position cannot be saved: No such file or directory"):
        play(tape, tmp_path / "none" / "p.json")
    with pytest.raises(UsageError, match=rf"{tmp_path}: the position cannot be saved: Is a directory"):
        play(tape, tmp_path)
    path = tmp_path / "p.json"
    with pytest.raises(UsageError, match=r"p\.json: the position cannot be saved: File too large"), room_for(100):
        play(tape, path)
    assert not path.exists()


def test_an_empty_tape_sends_marks_only(tmp_path: Path) -> None:
    """A night without events is a night: watermarks and ends."""
    empty = write_tape(tmp_path / "empty.parquet", [])
    check_marks(play(empty), info_of(empty))


def test_the_deck_refuses_what_cannot_be(tape: Tape) -> None:
    """Unknown phases, moments outside the night, speeds below 0.1 and jumps before the start are errors at once."""
    deck = Deck()
    with pytest.raises(UsageError, match="not begun yet"):
        deck.jump("talk")
    deck.show(info_of(tape), at=START)
    with pytest.raises(UsageError, match=r"unknown phase 'tlak'; did you mean 'talk'\? Known: open, melting"):
        deck.jump("tlak")
    with pytest.raises(UsageError, match="outside the night"):
        deck.jump("+2h")
    for speed in ("0.05", "0", "fast", "nan", "inf"):
        with pytest.raises(UsageError, match=r"at least 0\.1"):
            deck.set_speed(speed)
    with pytest.raises(UsageError, match="not a duration"):
        deck.step("5 minutes")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--from", "tlak"], "unknown phase 'tlak'; did you mean 'talk'? Known: open, melting"),
        (["--until", "talk+9h"], "outside the night"),
        (["--fault", "missing=1.01"], "fault missing=1.01: expected a rate from 0 to 1"),
        (["--fault", "missing=-0.5"], "expected a rate from 0 to 1"),
        (["--speed", "0.05"], "at least 0.1"),
        (["--resume", "nowhere.json"], "nowhere.json: there is no saved position"),
    ],
)
def test_what_cannot_be_played_is_refused_at_once(
    tape: Tape, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong option ends the command with the code of a usage error before a broker is asked for."""
    arguments = ["replay", str(tape.path), "--bootstrap-servers", "127.0.0.1:9", *options]
    assert main(arguments) == EXIT_USAGE
    assert message in capsys.readouterr().err


def test_the_speed_changes_at_its_moments(tape: Tape) -> None:
    """At speed 60, and in the third minute at speed 6, the night of 600 s takes 9 + 10 s, and all of it is on time."""
    paces = (Pace(START + 120_000, 6), Pace(START + 180_000, 60))
    player = Player(tape, PlaybackRequest(speed=60, paces=paces))
    begun = player.time()
    result = player.play()
    assert player.time() - begun == pytest.approx(540 / 60 + 60 / 6, abs=0.1)
    assert (result.state, result.sent, result.on_time_ratio) == ("ended", tape.rows, 1.0)


def test_a_jump_beyond_a_moment_changes_the_speed_too(tape: Tape) -> None:
    """Begun behind two moments, a night goes on at the speed of the later one."""
    paces = (Pace(START + 100_000, 1), Pace(START + 200_000, 30))
    player = Player(tape, PlaybackRequest(speed=60, begin=START + 300_000, paces=paces))
    begun = player.time()
    player.play()
    assert player.time() - begun == pytest.approx(300 / 30, abs=0.1)


@pytest.mark.parametrize("pace", ["+1m", "=3", "+1m=max", "+1m=quick", "later=3"])
def test_a_pace_that_cannot_be_read_is_refused(tape: Tape, pace: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Without moment or speed, without pacing, or at an unknown phase: one line names what was expected."""
    assert main(["replay", str(tape.path), "--pace", pace]) == EXIT_USAGE
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_a_pace_needs_a_paced_replay(tape: Tape, capsys: pytest.CaptureFixture[str]) -> None:
    """A replay at full speed passes no moment at a known time, so another speed from there on is refused."""
    assert main(["replay", str(tape.path), "--speed", "max", "--pace", "+1m=3"]) == EXIT_USAGE
    assert "--speed max" in capsys.readouterr().err
