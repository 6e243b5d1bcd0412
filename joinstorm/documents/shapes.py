"""The shape of JSON that a command puts together from several sources; a test holds the commands to it."""

import msgspec

from dashboards.publish import Kind as ChangeKind
from joinstorm.alerts.scoring import Incident, Page
from joinstorm.conformance.certificate import PointOutcome, Status
from joinstorm.drill.drillscore import DrillAnswer, ScorePart
from joinstorm.pages.delivery import AlertmanagerOutage, PageDelivery
from joinstorm.verdict.comparison import Mismatch
from producers.capture.digest import Digest
from producers.scenario.incidentspec import ExpectSpec
from producers.scenario.spec import Fact


class Times(msgspec.Struct):
    """The median and the worst of some times, ms."""

    median: float
    worst: float


class AlertNightFigures(msgspec.Struct):
    """An alert in one night."""

    scenario: str
    scale: float
    seed: int
    pages: tuple[Page, ...]
    incidents: tuple[Incident, ...]


class AlertFigures(msgspec.Struct):
    """The score of one alert."""

    alert: str
    line: int
    """Of the rules file."""
    expected: str
    """What it is meant for."""
    unserved: tuple[str, ...]
    """Metrics that it reads and no night has."""
    recall: float | None
    precision: float | None
    detect_ms: Times | None
    """From the start of an incident to the page; null where none was detected."""
    reset_ms: Times | None
    """From the end of an incident to the end of the page."""
    flaps: int
    right_pages: int
    false_pages: int
    pages_per_incident_night: float | None
    pages_per_quiet_night: float | None
    unmet: tuple[str, ...]
    """Requirements that it does not meet."""
    nights: tuple[AlertNightFigures, ...]


class TunedFigures(msgspec.Struct):
    """An alert with one combination of settings."""

    settings: dict[str, str | float | int]
    shipped: bool
    """As it stands in the file."""
    front: bool
    """No other setting beats it."""
    detect_ms: float | None
    """Null where no incident was detected."""
    missed: int
    """Incidents without a page."""
    incidents: int
    false_pages_per_night: float
    recall: float | None
    precision: float | None


class Tuned(msgspec.Struct):
    """The settings of an alert compared."""

    alert: str
    points: tuple[TunedFigures, ...]


class TopicComparison(msgspec.Struct):
    """A topic beside the captured one it should equal."""

    captured: Digest
    found: Digest
    outcome: str
    """``equal``, ``other timestamps`` if all else is equal, or ``different``."""


class CertificateFile(msgspec.Struct):
    """A certificate: ``conform``."""

    exact: bool
    """Every supported point that was played is exact, and there is at least one."""
    verdict: str
    """The answer in a few words."""
    engine: str
    outcomes: tuple[PointOutcome, ...]
    versions: dict[str, str]
    machine: dict[str, str]
    made: str
    """When, ISO 8601."""
    limits: str
    """What the engine cannot do by design."""


class PublishedChange(msgspec.Struct):
    """The change of one object in Grafana; ``kept`` means that it was changed by hand and left alone."""

    kind: ChangeKind
    what: str
    diff: str
    """Unified diff from Grafana's state to the published one."""


class DeadLetterLine(msgspec.Struct):
    """A record that is no event of its run."""

    source: str
    """Its position, ``topic[partition]@offset``."""
    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    run: str
    engine: str
    """The engine that put it aside."""
    value: str
    """Its bytes as readable text."""
    base64: str
    """Its bytes without loss."""


class DrillPanel(msgspec.Struct):
    """One panel of a drill's boards."""

    name: str
    unit: str
    values: list[float | None]


class DrillBoards(msgspec.Struct, tag_field="type", tag="boards"):
    """What there is to see, as of ``now``."""

    seed: int
    now: str
    """Clock time of the night."""
    now_ms: int
    times_ms: list[int]
    panels: list[DrillPanel]
    choices: dict[str, dict[str, str]]
    """What an answer may say, by field, and what that means."""


class DrillError(msgspec.Struct, tag_field="type", tag="error"):
    """The last line cannot be used."""

    error: str


class DrillResult(msgspec.Struct, tag_field="type", tag="score"):
    """The end: the score, and the truth."""

    seed: int
    points: int
    of: int
    parts: tuple[ScorePart, ...]
    answer: DrillAnswer | None
    truth: DrillAnswer
    night: str
    told: str


class ExplanationFile(msgspec.Struct):
    """The fewest events that show why an engine is wrong."""

    engine: str
    point: str
    status: Status
    detail: str
    events: list[str]
    first: Mismatch | None
    """The first wrong count; null where no count is wrong."""
    runs: int
    """Nights that were played."""


class FactFigures(Fact, frozen=True, kw_only=True):
    """A fact, and the tape's own figure."""

    value: float | None
    """The tape's figure; null where there is none."""
    holds: bool | None
    """Whether it is within the accepted range; null where there is nothing to judge."""
    known_of: str | None
    """The night that the fact is known of, where the tape is a what-if of it."""


class ImportedTape(msgspec.Struct):
    """The metadata of an imported tape; times in ms since the epoch."""

    name: str
    events: int
    people: int
    start: int
    end: int
    sha256: str


class ImportedFile(msgspec.Struct):
    """Where the rows of one file went; ``rows`` = ``used`` + the sum of ``left_out``."""

    path: str
    rows: int
    used: int
    """Rows of which at least one event is on the tape."""
    left_out: dict[str, int]
    """The other rows, by the reason."""
    lines: dict[str, int]
    """Lines of a text file by what they are."""
    encoding: str
    missing: dict[str, dict[str, int]]
    """Words that were read as no value, by field."""


class ImportProblem(msgspec.Struct):
    """Rows that could not be true."""

    count: int
    examples: list[str]


class Imported(msgspec.Struct):
    """What an import has made."""

    tape: str
    ids: str
    """The table of ids."""
    info: ImportedTape
    rows: dict[str, int]
    """Rows of each file."""
    files: list[ImportedFile]
    kinds: dict[str, int]
    """Events on the tape, by kind."""
    put_in: dict[str, int]
    """Events among them that the recording did not have, by kind."""
    inside_at_end: int
    """People still in a room when the recording ends."""
    problems: dict[str, ImportProblem]
    warnings: list[str]


class Recorded(msgspec.Struct):
    """A tape that was recorded."""

    tape: str
    scenario: str
    scale: float
    seed: int
    events: int
    listeners: int
    tweets: int
    seconds: float
    sha256: str


class Delays(msgspec.Struct):
    """From firing to arrival, ms."""

    median: float
    most: float


class RehearsedPage(PageDelivery, frozen=True, kw_only=True):
    """A page, and when in the night it fired."""

    at: int | None
    """Event time, ms."""
    phase: str | None
    delay_ms: int | None


class Rehearsed(msgspec.Struct):
    """A rehearsal: ``rehearse``, and ``pages.json``."""

    ok: bool
    exact: bool
    """The engine's counts are the truth."""
    scenario: str
    scale: float
    seed: int
    expected: int
    """Pages that have to arrive."""
    arrived: int
    lost: int
    repeated: int
    repeated_after_restart: int
    folded: int
    """Pages that Alertmanager made one of with the page before."""
    unresolved: int
    """Pages whose end did not arrive."""
    out_of_order: int
    unexpected: int
    notifications: int
    delay_ms: Delays | None
    outages: tuple[AlertmanagerOutage, ...]
    problems: tuple[str, ...]
    pages: tuple[RehearsedPage, ...]
    alerts: tuple[AlertFigures, ...]


class ScenarioRow(msgspec.Struct):
    """A shipped scenario."""

    name: str
    title: str
    listeners: int
    incidents: list[str]
    """Phases of its incidents."""
    expect: ExpectSpec
    """What alerts have to answer to."""


class TruthSummary(msgspec.Struct):
    """What ``truth`` has counted."""

    run: str | None
    """The run it was published for; null with ``--ahead``."""
    events: int
    records: int
    """Records published."""
    digest: str
