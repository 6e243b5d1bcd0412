"""Every metric of the exporter and the workers, as data: name, type, unit, labels, meaning, formula and window.

Boards, rules and docs/metrics.md use the names and labels defined here; ``streams.exporter.collector`` computes the
values. They belong to the newest run (``joinstorm_run_info`` names it), so no label grows with the number of runs.
``EVENT_TIME_METRICS`` are the values of the night once more, written with event time as their timestamps and with the
label ``run``; their names begin differently, so no rule over scraped series can read them.
Values of the night are **as of event time**: for an engine as of its watermark, for the engine named ``truth`` as of
the replay. A count "in the last minute" covers the last 60 s of event time, so it is the same at every replay speed;
``rate()`` over a counter of the night scales with the speed.
"""

from streams.metrics.labels import TOP_HASHTAGS
from streams.metrics.metric import AS_OF, LAST_MINUTE, NOW, Metric, at_event_time, counter, gauge

# --- the launch -------------------------------------------------------------------------------------------------------
AUDIENCE = gauge(
    "audience_listeners", "listeners", "engine space", "Listeners in the room.", "sum of joins - drops - leaves", AS_OF
)
AUDIENCE_PEAK = gauge(
    "audience_peak_listeners", "listeners", "engine space", "Highest audience at the end of a window.",
    "maximum of joinstorm_audience_listeners so far", AS_OF,
)  # fmt: skip
AUDIENCE_PEAK_TIME = gauge(
    "audience_peak_timestamp_seconds", "seconds", "engine space", "When the audience was highest.",
    "end of the first window with the peak", AS_OF,
)  # fmt: skip
WAITING = gauge(
    "waiting_people", "people", "engine", "People who want to be in a room and are not: new, refused or dropped.",
    "sum over spaces of arrivals + drops - joins - give_ups", AS_OF,
)  # fmt: skip
WAITING_PEAK = gauge(
    "waiting_peak_people", "people", "engine", "Most people waiting at the end of a window.",
    "maximum of joinstorm_waiting_people so far", AS_OF,
)  # fmt: skip
PRESENCE = counter(
    "presence_events", "events", "engine space kind",
    "Attempts, arrivals (first attempts), joins, fails, leaves, give-ups, drops, rejoins within 60 s of a drop.",
    "sum of the count", AS_OF,
)  # fmt: skip
PRESENCE_MINUTE = gauge(
    "presence_last_minute_events", "events", "engine space kind", "The same events in the last minute of event time.",
    "sum of the count over the last 60 s", LAST_MINUTE,
)  # fmt: skip
DROP_RATIO = gauge(
    "drop_ratio", "ratio", "engine space", "Share of the room's listeners in the last minute who were dropped.",
    "drops / (audience 60 s ago + joins); absent while the room is empty", LAST_MINUTE,
)  # fmt: skip
JOIN_SUCCESS = gauge(
    "join_success_ratio", "ratio", "engine space", "Share of answered attempts that succeeded.",
    "joins / (joins + fails); absent while no attempt is answered", LAST_MINUTE,
)  # fmt: skip
DISTINCT_LISTENERS = gauge(
    "distinct_listeners", "listeners", "engine space", "Distinct people who have joined; space * is any room.",
    "sum of first_joins", AS_OF,
)  # fmt: skip
WAITED = gauge(
    "waited_20m_people", "people", "engine", "People who waited 20 minutes or more for the talk to start.",
    "sum of waited_20m", AS_OF,
)  # fmt: skip
TIME_TO_JOIN = gauge(
    "time_to_join_seconds", "seconds", "engine quantile",
    "Time from a person's first attempt to the first join, of those who joined in the last minute; of the field's "
    "terms, the video startup time.",
    "quantile of time_to_join, interpolated in its bin; absent if nobody joined for the first time", LAST_MINUTE,
)  # fmt: skip
TIME_TO_REJOIN = gauge(
    "time_to_rejoin_seconds", "seconds", "engine quantile",
    "Time from a drop to the next join, of those who rejoined in the last minute.",
    "quantile of time_to_rejoin over all spaces, interpolated in its bin; absent if nobody rejoined", LAST_MINUTE,
)  # fmt: skip
TIME_TO_JOIN_BUCKET = gauge(
    "time_to_join_seconds_bucket", "people", "engine le",
    "People whose time to join was less than le seconds, for histogram_quantile.",
    "sum of time_to_join below le; absent before the first", AS_OF,
)  # fmt: skip
TIME_TO_REJOIN_BUCKET = gauge(
    "time_to_rejoin_seconds_bucket", "joins", "engine le",
    "Joins whose time to rejoin was less than le seconds, for histogram_quantile.",
    "sum over spaces of time_to_rejoin below le; absent before the first", AS_OF,
)  # fmt: skip
EXITS = gauge(
    "exits_before_join_people", "people", "engine", "People who left before any join.",
    "sum of time_to_exit; absent before the first", AS_OF,
)  # fmt: skip
EXIT_RATIO = gauge(
    "exit_before_join_ratio", "ratio", "engine",
    "Share of the people whose first wait ended in the last minute who left instead of joining; of the field's terms, "
    "exits before video start.",
    "time_to_exit / (time_to_exit + time_to_join); absent if no first wait ended", LAST_MINUTE,
)  # fmt: skip

CLIENT_AUDIENCE = gauge(
    "client_audience_listeners", "listeners", "engine client", "Listeners in any room, by client.",
    "sum over spaces of joins - drops - leaves by client; absent before the first join", AS_OF,
)  # fmt: skip
CLIENT_DROP_RATIO = gauge(
    "client_drop_ratio", "ratio", "engine client",
    "Share of the listeners with a client in the last minute who were dropped, over all rooms.",
    "drops / (audience 60 s ago + joins), by client; absent while there are none", LAST_MINUTE,
)  # fmt: skip
CLIENT_JOIN_SUCCESS = gauge(
    "client_join_success_ratio", "ratio", "engine client",
    "Share of the answered attempts with a client that succeeded, over all rooms.",
    "joins / (joins + fails), by client; absent while no attempt is answered", LAST_MINUTE,
)  # fmt: skip
REASON_MINUTE = gauge(
    "reason_last_minute_events", "events", "engine kind reason",
    "Fails and drops in the last minute of event time, by reason, over all rooms.",
    "sum over spaces of fails_by_reason or drops_by_reason over the last 60 s; absent before the first", LAST_MINUTE,
)  # fmt: skip

# --- tweets and the announcement --------------------------------------------------------------------------------------
TWEETS = counter("tweets", "tweets", "engine subject kind", "Tweets by subject and kind.", "sum of the count", AS_OF)
TWEETS_MINUTE = gauge(
    "tweets_last_minute", "tweets", "engine subject kind", "Tweets in the last minute of event time.",
    "sum of the count over the last 60 s", LAST_MINUTE,
)  # fmt: skip
STANCES = counter(
    "stance_tweets", "tweets", "engine subject stance",
    "Tweets by stance: as classified by the engine, for truth as generated. An estimate.",
    "sum of stance:<name>", AS_OF,
)  # fmt: skip
STANCES_MINUTE = gauge(
    "stance_last_minute_tweets", "tweets", "engine subject stance", "Tweets by stance in the last minute.",
    "sum of stance:<name> over the last 60 s", LAST_MINUTE,
)  # fmt: skip
HASHTAGS = counter(
    "hashtag_tweets", "tweets", "engine hashtag", f"Tweets with a hashtag, for the {TOP_HASHTAGS} most used.",
    "sum over subjects of hashtag:<tag>, ties in alphabetical order", AS_OF,
)  # fmt: skip
AUTHORS = gauge(
    "distinct_authors", "authors", "engine subject", "Distinct authors on the subject; subject * is any subject.",
    "sum of first_authors", AS_OF,
)  # fmt: skip
THREAD_REPOSTS = counter(
    "thread_reposts", "tweets", "engine", "Reposts in the announcement's thread.", "sum of thread_reposts", AS_OF
)
UPLIFT = gauge(
    "reaction_uplift_ratio", "ratio", "engine bound", "Reaction to the announcement as a multiple of the baseline.",
    "tweets on its subject since the announcement / tweets expected without it", AS_OF,
)  # fmt: skip
EXCESS = gauge(
    "reaction_excess_tweets", "tweets", "engine bound", "Tweets beyond the baseline since the announcement.",
    "tweets on its subject since the announcement - tweets expected without it", AS_OF,
)  # fmt: skip
HALF_LIFE = gauge(
    "reaction_half_life_seconds", "seconds", "engine bound", "How long the reaction lasts.",
    "time from the peak to half of the excess observed after it", AS_OF,
)  # fmt: skip
REACTION_PEAK_TIME = gauge(
    "reaction_peak_timestamp_seconds", "seconds", "engine", "When the reaction to the announcement peaked.",
    "middle of the strongest quarter of an hour since the announcement", AS_OF,
)  # fmt: skip
BASELINE = gauge(
    "reaction_baseline_tweets", "tweets", "engine", "Tweets per minute expected without the announcement.",
    "tweets expected without the announcement / minutes since the announcement", AS_OF,
)  # fmt: skip

VALUES_OF_THE_NIGHT: tuple[Metric, ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Metric)
)
"""All of the above: values of an engine as of event time."""

# --- the run and its replay -------------------------------------------------------------------------------------------
RUN_INFO = gauge(
    "run_info", "1", "run scenario scale seed tape",
    "The run of all other values; tape is the start of its SHA-256.",
    "always 1; one series, replaced when a newer run starts", NOW,
)  # fmt: skip
RUN_ENDED = gauge(
    "run_ended", "boolean", "", "1 when the replay and every engine have ended.",
    "replay ended and at least one engine besides truth, all of them ended", NOW,
)  # fmt: skip
PHASE = gauge(
    "phase", "boolean", "phase", "1 for the current phase of the night in the replay, 0 for the others.",
    "the phase that holds joinstorm_replay_event_timestamp_seconds", NOW,
)  # fmt: skip
PHASE_START = gauge(
    "phase_start_timestamp_seconds", "seconds", "phase", "Start of each phase of the night, in event time.",
    "from run.info", "the whole night",
)  # fmt: skip
NIGHT_START = gauge(
    "night_start_timestamp_seconds", "seconds", "", "First moment of the night, in event time.", "from run.info",
    "the whole night",
)  # fmt: skip
NIGHT_END = gauge(
    "night_end_timestamp_seconds", "seconds", "", "Last moment of the night, in event time.", "from run.info",
    "the whole night",
)  # fmt: skip
TALK_START = gauge(
    "talk_start_timestamp_seconds", "seconds", "", "Start of the talk, in event time.", "from run.info",
    "the whole night",
)  # fmt: skip
ANNOUNCED = gauge(
    "announcement_timestamp_seconds", "seconds", "", "Start of the announcement's thread, in event time.",
    "from run.info; absent if there is no thread", "the whole night",
)  # fmt: skip
CAPACITY = gauge(
    "capacity_listeners", "listeners", "",
    "Listeners that the open room can hold without strain, as simulated; incidents change it.",
    "capacity of run.info; absent if it is unknown", "the moment the replay is at",
)  # fmt: skip
REPLAY_TIME = gauge(
    "replay_event_timestamp_seconds", "seconds", "", "Event time up to which everything has been sent.",
    "at of run.status; without a status, the furthest watermark", NOW,
)  # fmt: skip
REPLAY_TARGET_SPEED = gauge(
    "replay_target_speed_ratio", "ratio", "", "Requested event seconds per second; 0 means as fast as possible.",
    "speed of run.status", NOW,
)  # fmt: skip
REPLAY_SPEED = gauge(
    "replay_speed_ratio", "ratio", "", "Achieved event seconds per second.", "actual_speed of run.status",
    "about the last second of wall clock time",
)  # fmt: skip
REPLAY_LATENESS = gauge(
    "replay_lateness_seconds", "seconds", "", "How long after their due time events are sent (99th percentile).",
    "lateness_seconds of run.status", "about the last second of wall clock time",
)  # fmt: skip
REPLAY_ON_TIME = gauge(
    "replay_on_time_ratio", "ratio", "", "Share of paced events sent within 100 ms of their due time.",
    "on_time_ratio of run.status", "the run so far",
)  # fmt: skip
REPLAY_RECORDS = counter(
    "replay_records", "records", "outcome", "Events the broker acknowledged (sent) or did not (failed).",
    "sent and failed of run.status", "the run so far",
)  # fmt: skip
REPLAY_STATE = gauge(
    "replay_state", "boolean", "state", "1 for the state the replay is in, 0 for the others.", "state of run.status",
    NOW,
)  # fmt: skip
REPLAY_SEEN = gauge(
    "replay_status_timestamp_seconds", "seconds", "", "Wall clock time of the replay's last status.",
    "wall_ms of run.status", NOW,
)  # fmt: skip

# --- engines ----------------------------------------------------------------------------------------------------------
WATERMARK = gauge(
    "engine_watermark_timestamp_seconds", "seconds", "engine",
    "Event time up to which the engine has counted every event sent.",
    "minimum over the partitions of both input topics", NOW,
)  # fmt: skip
LAG = gauge(
    "engine_lag_event_seconds", "seconds", "engine", "How far the engine is behind the replay, in event time.",
    "joinstorm_replay_event_timestamp_seconds - joinstorm_engine_watermark_timestamp_seconds, never below 0", NOW,
)  # fmt: skip
PROGRESS = gauge(
    "engine_progress_ratio", "ratio", "engine", "Share of the tape's events the engine has counted.",
    "events of results.progress / events of run.info", "the run so far",
)  # fmt: skip
ENGINE_EVENTS = counter(
    "engine_events", "events", "engine topic", "Distinct events the engine has counted.",
    "sum over shards of events of results.progress", "the run so far",
)  # fmt: skip
DUPLICATES = counter(
    "engine_duplicates", "events", "engine topic", "Events the engine received again, not counted again.",
    "sum over shards of duplicates of results.progress", "the run so far",
)  # fmt: skip
DEAD_LETTERS = counter(
    "engine_dead_letters", "records", "engine topic", "Dead letters: records that are not events of the run.",
    "sum over shards of dead_letters of results.progress", "the run so far",
)  # fmt: skip
ENGINE_ENDED = gauge(
    "engine_ended", "boolean", "engine", "1 when the engine has reached the end of every partition.",
    "every partition of both input topics is covered by an ended record of results.progress", NOW,
)  # fmt: skip
ERROR_MAX = gauge(
    "engine_error_max", "units of the value", "engine value",
    "Greatest difference between the engine and the truth in any window, both as of the engine's watermark.",
    "maximum over windows, spaces and subjects of |engine - truth|; running values for audience, waiting, hashtags",
    AS_OF,
)  # fmt: skip
ERROR_SUM = gauge(
    "engine_error_sum", "units of the value", "engine value",
    "Sum of the differences between the engine and the truth, both as of the engine's watermark.",
    "sum over windows, spaces and subjects of |engine - truth|", AS_OF,
)  # fmt: skip
AUDIENCE_ERROR = gauge(
    "engine_audience_error_listeners", "listeners", "engine space",
    "The engine's live audience minus the truth's, both as of the engine's watermark.",
    "audience of the engine - audience of the truth", AS_OF,
)  # fmt: skip

# --- the broker, as the exporter sees it ------------------------------------------------------------------------------
_LAST_ANSWER = "the last answer"
BROKER_UP = gauge(
    "broker_up", "boolean", "", "1 while the broker answers, 0 after six seconds without an answer.",
    "polled every two seconds", NOW,
)  # fmt: skip
BROKER_RESPONSE = gauge(
    "broker_response_seconds", "seconds", "", "Time the broker took to describe the topics of the run.", "measured",
    _LAST_ANSWER,
)  # fmt: skip
BROKER_UNHEALTHY = gauge(
    "broker_unhealthy_partitions", "partitions", "",
    "Partitions of the run's topics without a leader, or with a replica out of sync.", "count", _LAST_ANSWER,
)  # fmt: skip
BROKER_WRITTEN = counter(
    "broker_written_records", "records", "topic", "Records ever written to the topic, marks and checkpoints included.",
    "sum over partitions of the end offset", _LAST_ANSWER,
)  # fmt: skip
BROKER_KEPT = gauge(
    "broker_kept_records", "records", "topic",
    "Offsets the topic still spans; for compacted topics, an upper bound of the records.",
    "sum over partitions of end offset - first offset", _LAST_ANSWER,
)  # fmt: skip

# --- the exporter itself ----------------------------------------------------------------------------------------------
READ_RECORDS = counter(
    "exporter_records",
    "records",
    "topic",
    "Records the exporter has read, of all runs.",
    "count",
    "since the exporter's start",
)
REJECTED_RECORDS = counter(
    "exporter_rejected_records", "records", "topic reason",
    "Invalid records on the result topics: not JSON of the contract, or with an impossible window or value.", "count",
    "since the exporter's start",
)  # fmt: skip
SCRAPE = gauge(
    "exporter_scrape_seconds", "seconds", "", "Time the exporter took to compute the previous scrape.", "measured",
    "the previous scrape",
)  # fmt: skip

ROOMS_LEFT_OUT = gauge(
    "exporter_rooms_left_out", "rooms", "", "Rooms of the night that have no series with a label space.",
    "rooms of run.info beyond those where the most people have been (--rooms)", NOW,
)  # fmt: skip

BROKER_METRICS = (BROKER_UP, BROKER_RESPONSE, BROKER_UNHEALTHY, BROKER_WRITTEN, BROKER_KEPT)
EXPORTER_METRICS: tuple[Metric, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
"""All of the above, in the order of definition."""

OF_THE_NIGHT: tuple[Metric, ...] = (
    *VALUES_OF_THE_NIGHT, RUN_INFO, PHASE, PHASE_START, TALK_START, ANNOUNCED, CAPACITY, REPLAY_TIME,
)  # fmt: skip
"""The metrics that have an event-time twin."""
EVENT_TIME_METRICS: tuple[Metric, ...] = tuple(at_event_time(metric) for metric in OF_THE_NIGHT)

# --- the workers of the engine faust, each on its own port ------------------------------------------------------------
_SINCE_START = "since the worker's start"
WORKER_START = gauge(
    "worker_start_timestamp_seconds", "seconds", "engine", "Wall clock time at which this worker started.", "measured",
    NOW,
)  # fmt: skip
WORKER_EVENTS = counter(
    "worker_events", "events", "engine topic partition", "Distinct events this worker has counted.", "count",
    _SINCE_START,
)  # fmt: skip
WORKER_CHUNKS = counter(
    "worker_chunks", "chunks", "engine topic partition", "Chunks of records this worker has processed.", "count",
    _SINCE_START,
)  # fmt: skip
WORKER_DUPLICATES = counter(
    "worker_duplicates", "events", "engine topic partition", "Events this worker received again, not counted again.",
    "count", _SINCE_START,
)  # fmt: skip
WORKER_DEAD_LETTERS = counter(
    "worker_dead_letters", "records", "engine topic reason", "Dead letters of this worker, by reason.", "count",
    _SINCE_START,
)  # fmt: skip
WORKER_STAGE = counter(
    "worker_stage_seconds", "seconds", "engine stage",
    "Time spent per stage: decode, fold, publish, checkpoint, restore. Only restore includes waiting.",
    "measured", _SINCE_START,
)  # fmt: skip
WORKER_LAG = gauge(
    "worker_lag_records", "records", "engine topic partition",
    "Records behind the end of the partition, for the partitions this worker owns; sum over workers for all.",
    "last fetched end of the partition - next offset", NOW,
)  # fmt: skip
WORKER_EVENT_LAG = gauge(
    "worker_lag_event_seconds", "seconds", "engine topic partition",
    "How far the partition's watermark is behind the replay, in event time; absent before the first mark.",
    "at of run.status - watermark, never below 0", NOW,
)  # fmt: skip
WORKER_CHECKPOINTS = counter(
    "worker_checkpoints", "checkpoints", "engine kind",
    "Checkpoints this worker has written, of a whole state or of changes; failed ones are rewritten.", "count",
    _SINCE_START,
)  # fmt: skip
WORKER_CHECKPOINT_BYTES = counter(
    "worker_checkpoint_bytes", "bytes", "engine", "Bytes of the checkpoints this worker has written.", "count",
    _SINCE_START,
)  # fmt: skip
WORKER_RESTORED = counter(
    "worker_restored_partitions", "partitions", "engine source",
    "Partitions this worker took over, from a checkpoint or from the beginning.", "count", _SINCE_START,
)  # fmt: skip
WORKER_PUBLISHED = counter(
    "worker_published_records", "records", "engine", "Result and progress records the broker has acknowledged.",
    "count", _SINCE_START,
)  # fmt: skip

WORKER_METRICS: tuple[Metric, ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Metric) and value not in EXPORTER_METRICS
)
"""The metrics of a worker of the engine ``faust``, in the order of definition."""
