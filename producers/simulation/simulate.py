"""The evening in the rooms, second by second: who comes, what the server makes of it, what the hosts do about it.

Time is in ms after the opening. Work is done for the listeners that are due, not for all of them, so the cost goes with
the events. What melts, melts by feedback: nothing here knows that it will.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from producers.scenario.spec import Scenario
from producers.simulation import presencelog as log
from producers.simulation.calendar import MINUTE_TICKS, NEVER, TICK_MS
from producers.simulation.crowd import KICK, LEAVE, TRY, WAITING, Crowd
from producers.simulation.demand import Demand
from producers.simulation.hosts import CLOSED, Act, Programme
from producers.simulation.presencelog import PresenceLog
from producers.simulation.randomness import Millis, stream
from producers.simulation.retry import RetryPolicy
from producers.simulation.room import Ids, Room

_LATE_MS = 180_000
"""Nobody sets out for a talk that ends within this time, and who is still waiting gives up."""


@dataclass
class Course:
    """The evening's course, one value per second."""

    held: list[int] = field(default_factory=list)
    attempts: list[int] = field(default_factory=list)
    strain: list[float] = field(default_factory=list)

    def strain_by_minute(self) -> tuple[float, ...]:
        """Return the mean strain of each minute."""
        minutes = range(0, len(self.strain), MINUTE_TICKS)
        return tuple(round(sum(self.strain[i : i + MINUTE_TICKS]) / MINUTE_TICKS, 6) for i in minutes)


class Evening:
    """One evening of one crowd.

    Args:
        scenario: As resolved.
        demand: The crowd, drawn from the same scenario.
        seed: Of the tape; what happens in the rooms has streams of its own.
        scale: What the rooms' capacity is multiplied with.
        file: Where the events are kept, open for reading and writing.
    """

    def __init__(self, scenario: Scenario, demand: Demand, *, seed: int, scale: float, file: BinaryIO) -> None:
        schedule = scenario.schedule
        scheduled = round((schedule.scheduled_start - schedule.opens).total_seconds()) * TICK_MS
        self.events = PresenceLog(file)
        self.programme = Programme(scenario.hosts, scheduled)
        self.course = Course()
        self.room = Room(scenario.server, scale, len(demand))
        self.crowd = Crowd(demand, self.room.held, self.events)
        self._policy = RetryPolicy(scenario.retry)
        self._closing_ms = scenario.hosts.closing_seconds * 1000
        self._luck = {name: stream(seed, name) for name in ("admission", "answer", "retry", "drop", "loss", "kick")}
        self._attempts = 0

    def run(self, progress: Callable[[int], None] | None = None) -> None:
        """Play the evening until the talk is over and everybody has left.

        Args:
            progress: Called with the ms since the opening, after every minute.
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

    def _last_call(self) -> int:
        """When it no longer makes sense to try: shortly before the talk ends, never before it has begun."""
        talk_end = self.programme.talk_end
        return NEVER if talk_end is None else talk_end - _LATE_MS

    def _over(self, now: int) -> bool:
        return self.programme.talk_end is not None and now >= self.programme.talk_end

    def _second(self, tick: int) -> None:
        now = tick * TICK_MS
        strain = self.room.measure(self._attempts)
        self._act(self.programme.decide(now, strain), now)
        self._attempts = 0
        ids, due = self.crowd.calendar.take(tick)
        if len(ids):
            self._due(ids, due)
        if self.programme.room != CLOSED:
            self._throw_out(self.room.drops_due(), "drop", log.OVERLOADED, now)
            self._throw_out(self.room.losses_due(), "loss", log.CONNECTION_LOST, now)
        self.course.held.append(self.room.held.count)
        self.course.attempts.append(self._attempts)
        self.course.strain.append(strain)

    def _act(self, act: Act | None, now: int) -> None:
        if act is Act.CLOSE:
            ids = self.room.held.everybody()
            self.crowd.next(ids, KICK, now + (self._uniform("kick", len(ids)) * self._closing_ms).astype(np.int32))
        elif act is Act.BEGIN and self.programme.talk_end is not None:
            ids = self.room.held.everybody()
            self.crowd.listen(ids, np.full(len(ids), now, dtype=np.int32), self.programme.talk_end)

    def _due(self, ids: Ids, due: Millis) -> None:
        doing = self.crowd.doing[ids]
        tries, leaves, kicks = doing == TRY, doing == LEAVE, doing == KICK
        if leaves.any():
            self._leave(ids[leaves], due[leaves])
        if kicks.any():
            self.crowd.drop(ids[kicks], due[kicks], log.ROOM_CLOSED)
            self._part(ids[kicks])
        if tries.any():
            self._try(ids[tries], due[tries])

    def _leave(self, ids: Ids, at: Millis) -> None:
        self.crowd.leave(ids, at)
        if self.programme.talk_start is None:
            self.crowd.come_back(ids)

    def _part(self, ids: Ids) -> None:
        opens = self.programme.second_opens
        if opens is not None:
            self.crowd.part(ids, opens)

    def _try(self, ids: Ids, at: Millis) -> None:
        late = at >= self._last_call()
        if late.any():
            waiting = late & (self.crowd.where[ids] == WAITING)
            self.crowd.leave(ids[waiting], at[waiting])
            ids, at = ids[~late], at[~late]
        self._attempts = len(ids)
        self.crowd.attempt(ids, at, self.programme.room)
        answered = at + self.room.answer_ms(self._uniform("answer", len(ids)))
        reached = self.crowd.room[ids] == self.programme.room
        lost = ids[~reached]
        if len(lost):
            self.crowd.fail(lost, answered[~reached], log.ROOM_CLOSED)
            self._part(lost)
        self._knock(ids[reached], answered[reached])

    def _knock(self, ids: Ids, answered: Millis) -> None:
        admitted = self.room.admit(self._uniform("admission", len(ids)))
        inside, refused = ids[admitted], ids[~admitted]
        if len(inside):
            self.crowd.join(inside, answered[admitted])
            self._settle(inside, answered[admitted])
        if len(refused):
            self.crowd.fail(refused, answered[~admitted], log.OVERLOADED)
            self._retry(refused)

    def _settle(self, ids: Ids, at: Millis) -> None:
        if self.programme.talk_end is None:
            self.crowd.next(ids, LEAVE, self.crowd.deadline[ids])
        else:
            self.crowd.listen(ids, at, self.programme.talk_end)

    def _retry(self, ids: Ids) -> None:
        if self._policy.retries:
            delays = self._policy.delays(self.crowd.fails[ids], self._uniform("retry", len(ids)))
            self.crowd.wait_again(ids, delays, self._last_call())
        else:
            self.crowd.give_up(ids)

    def _throw_out(self, count: int, stream_name: str, reason: int, now: int) -> None:
        count = min(count, self.room.held.count)
        if count:
            ids = self.room.held.sample(self._uniform(stream_name, count))
            at = now + (self._uniform(stream_name, len(ids)) * TICK_MS).astype(np.int32)
            self.crowd.drop(ids, at, reason)
            self._retry(ids)

    def _uniform(self, name: str, count: int) -> npt.NDArray[np.float64]:
        return self._luck[name].random(count)
