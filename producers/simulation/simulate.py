"""The evening in the rooms, second by second: arrivals, the server's answers and the hosts' decisions.

Times are in ms after the opening. A second costs only the listeners due in it, so the total cost grows with the events.
The melting is feedback between strain and retries; nothing here schedules it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from producers.scenario.spec import Scenario
from producers.simulation import presencelog as log
from producers.simulation.calendar import MINUTE_TICKS, NEVER, TICK_MS
from producers.simulation.crowd import DISCONNECT, LEAVE, LOSE, TRY, WAITING, Crowd
from producers.simulation.demand import Demand
from producers.simulation.hosts import CLOSED, HostAction, HostSchedule
from producers.simulation.incidents import UNCHANGED, Blow, IncidentSchedule, Mask
from producers.simulation.presencelog import PresenceLog
from producers.simulation.randomness import Millis, stream
from producers.simulation.retry import RetryPolicy
from producers.simulation.room import Ids, Room

_LATE_MS = 180_000
"""Arrivals stop this long before the end of the talk; listeners still waiting give up."""


@dataclass
class RoomHistory:
    """The state of the rooms, one value per second."""

    audience: list[int] = field(default_factory=list)
    attempts: list[int] = field(default_factory=list)
    strain: list[float] = field(default_factory=list)
    capacity: list[float] = field(default_factory=list)
    """Listeners that the room could hold without strain."""

    def strain_by_minute(self) -> tuple[float, ...]:
        """Return the mean strain of each minute."""
        minutes = range(0, len(self.strain), MINUTE_TICKS)
        return tuple(round(sum(self.strain[i : i + MINUTE_TICKS]) / MINUTE_TICKS, 6) for i in minutes)


class Evening:
    """The simulation of one evening.

    Args:
        scenario: The resolved scenario.
        demand: The crowd, drawn from the same scenario.
        seed: The tape's seed; the rooms have random streams of their own.
        scale: Factor for the capacity of the rooms.
        file: Where the events are kept, open for reading and writing.
    """

    def __init__(self, scenario: Scenario, demand: Demand, *, seed: int, scale: float, file: BinaryIO) -> None:
        schedule = scenario.schedule
        scheduled = round((schedule.scheduled_start - schedule.opens).total_seconds()) * TICK_MS
        self.events = PresenceLog(file)
        self.hosts = HostSchedule(scenario.hosts, scheduled)
        self.history = RoomHistory()
        self.room = Room(scenario.server, scale, len(demand))
        self.crowd = Crowd(demand, self.room.audience, self.events)
        self.incidents = IncidentSchedule(scenario.incidents, demand, scheduled=scheduled, seed=seed)
        self._policy = RetryPolicy(scenario.retry)
        self._closing_ms = scenario.hosts.closing_seconds * 1000
        names = ("admission", "answer", "retry", "drop", "loss", "kick", "strike", "login")
        self._streams = {name: stream(seed, name) for name in names}
        self._attempts = 0
        self._reached = 0
        """Those of them that no incident keeps from the rooms: only they load the server."""

    def run(self, progress: Callable[[int], None] | None = None) -> None:
        """Simulate the evening until the talk is over and every listener has left.

        Args:
            progress: Called after every minute with the ms since the opening.
        """
        minute = 0
        while not (self._over(minute * MINUTE_TICKS * TICK_MS) and self.crowd.all_gone()):
            self.crowd.calendar.open_minute(minute)
            for tick in range(minute * MINUTE_TICKS, (minute + 1) * MINUTE_TICKS):
                self._second(tick)
            minute += 1
            self.events.flush(minute * MINUTE_TICKS * TICK_MS)
            if progress is not None:
                progress(minute * MINUTE_TICKS * TICK_MS)

    def _arrivals_end(self) -> int:
        """Return when attempts stop: shortly before the end of the talk, ``NEVER`` before it has begun."""
        talk_end = self.hosts.talk_end
        return NEVER if talk_end is None else talk_end - _LATE_MS

    def _over(self, now: int) -> bool:
        return self.hosts.talk_end is not None and now >= self.hosts.talk_end

    def _second(self, tick: int) -> None:
        now = tick * TICK_MS
        self._strike(now)
        strain = self.room.measure(self._reached)
        self._act(self.hosts.decide(now, strain), now)
        self._attempts = self._reached = 0
        ids, due = self.crowd.calendar.take(tick)
        if len(ids):
            self._due(ids, due)
        if self.hosts.room != CLOSED:
            self._drop(self.room.drops_due(), "drop", log.OVERLOADED, now)
            self._drop(self.room.losses_due(), "loss", log.CONNECTION_LOST, now)
        self.history.audience.append(self.room.audience.count)
        self.history.attempts.append(self._attempts)
        self.history.strain.append(strain)
        self.history.capacity.append(self.room.capacity)

    def _strike(self, now: int) -> None:
        """Let the incident of this second, if there is one, make its conditions and strike whom it strikes."""
        one = self.incidents.at(now)
        self.room.conditions = UNCHANGED if one is None else one.conditions(now, self.room.wanted)
        blow = None if one is None else one.blow(now)
        if blow is not None and self.hosts.room != CLOSED:
            self._befall(blow, now)

    def _befall(self, blow: Blow, now: int) -> None:
        ids = self.room.audience.ids()
        if blow.among is not None:
            ids = ids[blow.among[ids]]
        ids = ids[self._uniform("strike", len(ids)) < blow.share]
        at = now + (self._uniform("strike", len(ids)) * blow.within).astype(np.int32)
        self.crowd.strike(ids, LEAVE if blow.leaves else LOSE, at)

    def _act(self, action: HostAction | None, now: int) -> None:
        if action is HostAction.CLOSE:
            ids = self.room.audience.ids()
            self.crowd.next(
                ids, DISCONNECT, now + (self._uniform("kick", len(ids)) * self._closing_ms).astype(np.int32)
            )
        elif action is HostAction.BEGIN and self.hosts.talk_end is not None:
            ids = self.room.audience.ids()
            self.crowd.listen(ids, np.full(len(ids), now, dtype=np.int32), self.hosts.talk_end)

    def _due(self, ids: Ids, due: Millis) -> None:
        doing = self.crowd.doing[ids]
        tries, leaves, disconnects, losses = doing == TRY, doing == LEAVE, doing == DISCONNECT, doing == LOSE
        if leaves.any():
            self._leave(ids[leaves], due[leaves])
        if disconnects.any():
            self.crowd.drop(ids[disconnects], due[disconnects], log.ROOM_CLOSED)
            self._follow(ids[disconnects])
        if losses.any():
            self.crowd.drop(ids[losses], due[losses], log.CONNECTION_LOST)
            self._retry(ids[losses])
        if tries.any():
            self._try(ids[tries], due[tries])

    def _leave(self, ids: Ids, at: Millis) -> None:
        self.crowd.leave(ids, at)
        if self.hosts.talk_start is None:
            self.crowd.come_back(ids)

    def _follow(self, ids: Ids) -> None:
        opens = self.hosts.second_opens
        if opens is not None:
            self.crowd.follow(ids, opens)

    def _try(self, ids: Ids, at: Millis) -> None:
        late = at >= self._arrivals_end()
        if late.any():
            waiting = late & (self.crowd.where[ids] == WAITING)
            self.crowd.leave(ids[waiting], at[waiting])
            ids, at = ids[~late], at[~late]
        self._attempts = self._reached = len(ids)
        self.crowd.attempt(ids, at, self.hosts.room)
        answers = self.room.answer_ms(self._uniform("answer", len(ids)))
        is_open = self.crowd.room[ids] == self.hosts.room
        refused = ids[~is_open]
        if len(refused):
            self.crowd.fail(refused, (at + answers)[~is_open], log.ROOM_CLOSED)
            self._follow(refused)
        self._reach(ids[is_open], at[is_open], answers[is_open])

    def _reach(self, ids: Ids, at: Millis, answers: Millis) -> None:
        """Let the attempts on the open room reach it, but for those that an incident keeps from it."""
        now = self.room.conditions
        if now.cut_off is not None:
            ids, at, answers = self._kept_off(now.cut_off[ids], log.CONNECTION_LOST, ids, at, answers)
        if now.login_fails:
            fails = self._uniform("login", len(ids)) < now.login_fails
            ids, at, answers = self._kept_off(fails, log.LOGIN_FAILED, ids, at, answers)
        if now.slow is not None:
            wait = round(now.slow.timeout_seconds * 1000)
            late = answers > wait
            self._refuse(ids[late], at[late] + wait, log.TIMED_OUT)
            ids, at, answers = ids[~late], at[~late], answers[~late]
        self._admit(ids, at + answers)

    def _kept_off(self, fails: Mask, reason: int, ids: Ids, at: Millis, answers: Millis) -> tuple[Ids, Millis, Millis]:
        """Refuse attempts that do not reach the room, and return the others."""
        self._reached -= int(np.count_nonzero(fails))
        self._refuse(ids[fails], (at + answers)[fails], reason)
        return ids[~fails], at[~fails], answers[~fails]

    def _admit(self, ids: Ids, answered: Millis) -> None:
        admitted = self.room.admit(self._uniform("admission", len(ids)))
        inside = ids[admitted]
        if len(inside):
            self.crowd.join(inside, answered[admitted])
            self._settle(inside, answered[admitted])
        self._refuse(ids[~admitted], answered[~admitted], log.OVERLOADED)

    def _refuse(self, ids: Ids, answered: Millis, reason: int) -> None:
        if len(ids):
            self.crowd.fail(ids, answered, reason)
            self._retry(ids)

    def _settle(self, ids: Ids, at: Millis) -> None:
        if self.hosts.talk_end is None:
            self.crowd.next(ids, LEAVE, self.crowd.deadline[ids])
        else:
            self.crowd.listen(ids, at, self.hosts.talk_end)

    def _retry(self, ids: Ids) -> None:
        if self._policy.retries:
            delays = self._policy.delays(self.crowd.fails[ids], self._uniform("retry", len(ids)))
            self.crowd.retry(ids, delays, self._arrivals_end())
        else:
            self.crowd.give_up(ids)

    def _drop(self, count: int, stream_name: str, reason: int, now: int) -> None:
        count = min(count, self.room.audience.count)
        if count:
            ids = self.room.audience.sample(self._uniform(stream_name, count))
            at = now + (self._uniform(stream_name, len(ids)) * TICK_MS).astype(np.int32)
            self.crowd.drop(ids, at, reason)
            self._retry(ids)

    def _uniform(self, name: str, count: int) -> npt.NDArray[np.float64]:
        return self._streams[name].random(count)
