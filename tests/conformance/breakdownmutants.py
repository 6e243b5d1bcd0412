"""Copies of the engine kafka-python with one bug each in the breakdowns by client and by reason."""

from collections import Counter
from typing import ClassVar

from msgspec.structs import replace

from streams.contract.breakdowns import breakdowns_of, is_breakdown
from streams.contract.events import Presence, Tweet
from streams.contract.results import AudienceResult, Progress, Result
from streams.contract.topics import RESULTS_AUDIENCE
from streams.engines.abstract import WorkerSettings
from streams.engines.kafkapython.engine import KafkaPythonEngine, KafkaPythonWorker
from streams.engines.shared.simplefold import PartitionFold, window_of


class _Mutant(KafkaPythonEngine):
    """An engine whose fold has a bug."""

    fold_class: ClassVar[type[PartitionFold]] = PartitionFold

    def worker(self, settings: WorkerSettings) -> KafkaPythonWorker:
        """Return a worker that folds with it."""
        made = type("Mutant", (KafkaPythonWorker,), {"fold": self.fold_class})
        worker: KafkaPythonWorker = made(settings)
        return worker


class _Renaming(PartitionFold):
    """Publishes breakdowns under other names, or not at all."""

    def take(self) -> list[Result | Progress]:
        return [self._renamed(one) if isinstance(one, AudienceResult) else one for one in super().take()]

    def _renamed(self, one: AudienceResult) -> AudienceResult:
        counts: Counter[str] = Counter()
        for count, number in one.counts.items():
            counts[self._name(count) if is_breakdown(count) else count] += number
        counts.pop("", None)
        return replace(one, counts=dict(counts))

    def _name(self, count: str) -> str:
        """Return the name of a breakdown; empty if it is left out."""
        return count


class _Unbroken(_Renaming):
    def _name(self, count: str) -> str:
        return count[:0]


class KnowsNoBreakdowns(_Mutant):
    """No bug: an engine written before there were breakdowns."""

    fold_class = _Unbroken


class _KnownOnly(_Renaming):
    def _name(self, count: str) -> str:
        return "" if count.endswith(":other") else count


class LeavesOthersOut(_Mutant):
    """Counts the clients and reasons that it knows, and no others."""

    fold_class = _KnownOnly


class _Brands(_Renaming):
    def _name(self, count: str) -> str:
        return count.replace(":ios", ":iOS")


class SpellsClientsAsBrands(_Mutant):
    """Counts right, under the wrong client: iOS for ios."""

    fold_class = _Brands


class _NeverClosed(_Renaming):
    def _name(self, count: str) -> str:
        return count.replace(":room_closed", ":overloaded")


class RoomsNeverClose(_Mutant):
    """Takes a closed room for an overloaded one: the wrong reason."""

    fold_class = _NeverClosed


class _AnyCase(PartitionFold):
    def _count(self, event: Presence | Tweet) -> None:
        super()._count(replace(event, client=event.client.lower()) if isinstance(event, Presence) else event)


class ClientsInAnyCase(_Mutant):
    """Takes Web for web: the wrong client."""

    fold_class = _AnyCase


class _Faithful(PartitionFold):
    def _count(self, event: Presence | Tweet) -> None:
        if isinstance(event, Presence):
            person = self.people.setdefault(event.listener, {})
            event = replace(event, client=person.setdefault("client", event.client))
        super()._count(event)


class ClientOfTheFirstEvent(_Mutant):
    """Takes the client of a listener's first event for that of all: the wrong client."""

    fold_class = _Faithful


class _Twice(PartitionFold):
    def _count(self, event: Presence | Tweet) -> None:
        if isinstance(event, Presence) and event.event_id in self.seen:
            row = (RESULTS_AUDIENCE, window_of(event.at, self.info), event.space)
            counts = self.rows.setdefault(row, {})
            for count in breakdowns_of(event):
                counts[count] = counts.get(count, 0) + 1
                self.changed.add(row)
        super()._count(event)


class BreaksDuplicatesDown(_Mutant):
    """Counts an event once, and its client and reason as often as it comes."""

    fold_class = _Twice
