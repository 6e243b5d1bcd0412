"""The state of every listener during the evening: where they are, what they do next, and their events."""

import numpy as np
import numpy.typing as npt

from producers.simulation import presencelog as log
from producers.simulation.calendar import Calendar
from producers.simulation.demand import Demand
from producers.simulation.presencelog import PresenceLog
from producers.simulation.randomness import Millis
from producers.simulation.room import Audience, Ids

TRY, LEAVE, DISCONNECT, LOSE = range(4)
"""What happens to a listener at their due time; ``DISCONNECT``: the room closes, ``LOSE``: their connection breaks."""
AWAY, WAITING, INSIDE = range(3)


class Crowd:
    """All listeners, as arrays by id; times in ms after the opening.

    Args:
        demand: Their drawn properties.
        audience: The listeners in the room; kept up to date.
        events: The log of their events.
    """

    def __init__(self, demand: Demand, audience: Audience, events: PresenceLog) -> None:
        count = len(demand)
        self.demand = demand
        self.calendar = Calendar(demand.arrival.copy())
        self.where = np.full(count, AWAY, dtype=np.int8)
        self.doing = np.full(count, TRY, dtype=np.int8)
        self.room = np.zeros(count, dtype=np.int8)
        """The room they are in or try to join."""
        self.tries = np.zeros(count, dtype=np.int32)
        self.fails = np.zeros(count, dtype=np.int32)
        """Failed attempts in a row."""
        self.last = np.full(count, -1, dtype=np.int32)
        """Time of their latest event; the next one is later."""
        self.dropped = np.full(count, log.NONE, dtype=np.int32)
        """When they were last dropped in this sitting."""
        self.deadline = np.zeros(count, dtype=np.int32)
        """When their patience ends."""
        self._returned = np.zeros(count, dtype=np.bool_)
        self._audience = audience
        self._events = events

    def attempt(self, ids: Ids, at: Millis, open_room: int) -> None:
        """Listeners try to join; the first attempt of a sitting chooses the open room and starts their patience."""
        fresh = self.where[ids] == AWAY
        newly = ids[fresh]
        self.where[newly] = WAITING
        self.room[newly] = max(open_room, 0)
        self.deadline[newly] = at[fresh] + self.demand.patience.of(newly)
        self.tries[ids] += 1
        self.last[ids] = at
        self._events.add(log.ATTEMPT, at, ids, self.tries[ids], self.room[ids])

    def join(self, ids: Ids, at: Millis) -> None:
        """Listeners are admitted."""
        dropped = self.dropped[ids]
        since = np.where(dropped == log.NONE, log.NONE, at - dropped).astype(np.int32)
        self._events.add(log.JOIN, at, ids, self.tries[ids], self.room[ids], since_drop=since)
        self.where[ids], self.last[ids], self.fails[ids] = INSIDE, at, 0
        self._audience.add(ids)

    def fail(self, ids: Ids, at: Millis, reason: int) -> None:
        """Attempts are refused."""
        self._events.add(log.FAIL, at, ids, self.tries[ids], self.room[ids], reason=reason)
        self.last[ids] = at
        self.fails[ids] += 1

    def drop(self, ids: Ids, at: Millis, reason: int) -> None:
        """Listeners are dropped, not before their join."""
        at = np.maximum(at, self.last[ids] + 1)
        self._events.add(log.DROP, at, ids, self.tries[ids], self.room[ids], reason=reason)
        self.where[ids], self.last[ids], self.dropped[ids] = WAITING, at, at
        self._audience.remove(ids)

    def leave(self, ids: Ids, at: Millis) -> None:
        """Listeners leave the room, or give up waiting outside it: their sitting ends."""
        inside = self.where[ids] == INSIDE
        reason = np.where(inside, log.NONE, log.GAVE_UP).astype(np.int8)
        self._events.add(log.LEAVE, at, ids, self.tries[ids], self.room[ids], reason=reason)
        self._audience.remove(ids[inside])
        self.where[ids], self.last[ids], self.dropped[ids] = AWAY, at, log.NONE
        self.tries[ids], self.fails[ids] = 0, 0

    def next(self, ids: Ids, doing: int | npt.NDArray[np.int8], due: Millis) -> None:
        """Set what they do next and when, at the earliest just after their latest event."""
        self.doing[ids] = doing
        self.calendar.put(ids, np.maximum(due, self.last[ids] + 1))

    def retry(self, ids: Ids, delay: Millis, over: int) -> None:
        """They retry after this delay unless their patience or tolerance ends before, or arrivals stop at ``over``."""
        due = self.last[ids] + delay
        deadline = np.minimum(self.deadline[ids], over)
        intolerable = self.fails[ids] * 1000 > self.demand.tolerance.of(ids) + 1000
        gives_up = intolerable | (due >= deadline)
        self.next(ids, np.where(gives_up, LEAVE, TRY).astype(np.int8), np.minimum(due, deadline))

    def strike(self, ids: Ids, doing: int, due: Millis) -> None:
        """Set what befalls listeners in the room and when, unless something else befalls them before."""
        sooner = due < self.calendar.due[ids]
        self.next(ids[sooner], doing, due[sooner])

    def follow(self, ids: Ids, opens: int) -> None:
        """Their room is closed for good: some follow into the next one, the others linger and give up."""
        follows = self.demand.follows.of(ids)
        going, staying = ids[follows], ids[~follows]
        self.room[going], self.fails[going] = 1, 0
        due = np.maximum(self.last[going], opens) + self.demand.follow_delay.of(going)
        self.deadline[going] = due + self.demand.patience.of(going)
        self.next(going, TRY, due)
        self.give_up(staying)

    def give_up(self, ids: Ids) -> None:
        """They stop trying, linger a little and leave."""
        self.next(ids, LEAVE, self.last[ids] + self.demand.linger.of(ids))

    def come_back(self, ids: Ids) -> None:
        """Some of those who left before the talk come back later, once."""
        returns = self.demand.returns.of(ids) & ~self._returned[ids]
        back = ids[returns]
        self._returned[back] = True
        self.next(back, TRY, self.last[back] + self.demand.return_delay.of(back))

    def all_gone(self) -> bool:
        """Return whether no listener is in a room or waiting for one."""
        return not bool((self.where != AWAY).any())

    def listen(self, ids: Ids, begin: Millis, talk_end: int) -> None:
        """They listen to the talk for their own length of stay; those who hear its end linger a little."""
        until = begin + self.demand.stay.of(ids)
        heard_all = until >= talk_end
        until[heard_all] = talk_end + self.demand.farewell.of(ids[heard_all])
        self.deadline[ids] = talk_end
        self.next(ids, LEAVE, until)
