-- The obvious way to write the same counts: Flink's tumbling windows by event time, closed by a watermark five seconds
-- behind the newest event of the slowest partition. An event whose window has closed is dropped silently, without a row
-- or a line in the log. A partition has ended when its end mark's window is closed.

CREATE TEMPORARY VIEW presence_ends AS SELECT shard, happened FROM presence_checked WHERE sort = 'mark' AND mark = 'end';

CREATE TEMPORARY VIEW tweet_ends AS SELECT shard, happened FROM tweets_checked WHERE sort = 'mark' AND mark = 'end';

CREATE TEMPORARY VIEW presence_facts AS
SELECT shard, window_at, name, measure, COUNT(DISTINCT event_id) AS n
FROM TABLE(TUMBLE(TABLE presence_measures, DESCRIPTOR(happened), INTERVAL '$window_seconds' SECOND))
GROUP BY window_start, window_end, shard, window_at, name, measure
UNION ALL
SELECT shard, CAST(-1 AS BIGINT), '', 'ends', COUNT(*)
FROM TABLE(TUMBLE(TABLE presence_ends, DESCRIPTOR(happened), INTERVAL '$window_seconds' SECOND))
GROUP BY window_start, window_end, shard;

CREATE TEMPORARY VIEW tweet_facts AS
SELECT shard, window_at, name, measure, COUNT(DISTINCT event_id) AS n
FROM TABLE(TUMBLE(TABLE tweet_measures, DESCRIPTOR(happened), INTERVAL '$window_seconds' SECOND))
GROUP BY window_start, window_end, shard, window_at, name, measure
UNION ALL
SELECT shard, CAST(-1 AS BIGINT), '', 'ends', COUNT(*)
FROM TABLE(TUMBLE(TABLE tweet_ends, DESCRIPTOR(happened), INTERVAL '$window_seconds' SECOND))
GROUP BY window_start, window_end, shard;
