"""The planted bugs: which engine has each, the point that must catch it, and a point it must still be exact on."""

from typing import Final, NamedTuple

from tests.conformance import breakdownmutants, mutants


class PlantedBug(NamedTuple):
    """One planted bug."""

    engine: str
    """Name of the class in ``mutants`` or ``breakdownmutants``."""
    point: str
    """The point that catches it."""
    spared: str
    """A point it must still be exact on: it is not caught by chance."""


def spelled(engine: str) -> str:
    """Return a mutant as commands take an engine: by its file, as workers import nothing from the working folder."""
    module = breakdownmutants if hasattr(breakdownmutants, engine) else mutants
    return f"{module.__file__}:{engine}"


BUGS: Final = (
    PlantedBug("CountsDuplicates", "duplicates", "clean"),
    PlantedBug("DropsLate", "late", "out-of-order"),
    PlantedBug("TrustsOrder", "out-of-order", "clean"),
    PlantedBug("ForgetsOnRestart", "restart", "clean"),
    PlantedBug("SavesOffsetsFirst", "kill", "restart"),
    PlantedBug("StopsAtIdlePartition", "idle-partition", "clean"),
    PlantedBug("PromisesEarly", "idle-partition", "golden-doors"),
    PlantedBug("PromisesABitEarly", "idle-partition", "golden-doors"),
    PlantedBug("DiesOfCorruptRecords", "corrupt", "clean"),
    PlantedBug("SwallowsCorruptRecords", "corrupt", "clean"),
    PlantedBug("EndsOnSilence", "end", "golden-doors"),
    PlantedBug("OneShardForAll", "second-worker", "clean"),
    PlantedBug("LessThanAMinute", "golden-doors", "golden-waiting"),
    PlantedBug("BeforeTheTalk", "golden-waiting", "golden-doors"),
    PlantedBug("RoundsDurations", "durations", "out-of-order"),
    PlantedBug("LeavesOthersOut", "golden-clients", "clean"),
    PlantedBug("ClientsInAnyCase", "golden-clients", "breakdowns"),
    PlantedBug("ClientOfTheFirstEvent", "golden-clients", "breakdowns"),
    PlantedBug("BreaksDuplicatesDown", "breakdowns", "clean"),
    PlantedBug("RoomsNeverClose", "breakdowns", "clean"),
    PlantedBug("SpellsClientsAsBrands", "breakdowns", "clean"),
    PlantedBug("UnicodeLowerCase", "golden-thread", "clean"),
    PlantedBug("IgnoresTheVersion", "corrupt", "clean"),
    PlantedBug("OneReasonForAll", "corrupt", "clean"),
    PlantedBug("NumbersInQuotes", "corrupt", "clean"),
    PlantedBug("IgnoresCase", "corrupt", "clean"),
    PlantedBug("AnyBytesAreText", "corrupt", "clean"),
    PlantedBug("EndIsExclusive", "golden-edges", "clean"),
    PlantedBug("VersionsRestart", "versions", "clean"),
    PlantedBug("VersionsCountWrites", "versions", "clean"),
    PlantedBug("VersionsShrink", "versions", "golden-doors"),
    PlantedBug("WatermarkOfEvents", "marks", "golden-doors"),
    PlantedBug("LastMark", "marks", "clean"),
)
