-- The counts that depend on the earliest times of one person. When an earlier time arrives, Flink retracts the old row:
-- the row of the old window loses one, the row of the new window gains one.

CREATE TEMPORARY VIEW listener_facts AS
SELECT shard, first_at - MOD(first_at, $window_ms) AS window_at, '*' AS name, measure, CAST(1 AS BIGINT) AS n
FROM (
  SELECT shard, listener,
    MIN(`at`) FILTER (WHERE kind = 'join') AS first_join,
    MIN(`at`) FILTER (WHERE kind = 'attempt') AS tried,
    MIN(`at`) FILTER (WHERE kind = 'attempt') + $waited_ms AS due,
    MIN(`at`) FILTER (WHERE kind = 'leave') AS first_leave
  FROM presence_once GROUP BY shard, listener
) CROSS JOIN UNNEST(ARRAY[
  ('first_joins', first_join),
  ('waited_20m', CASE WHEN due <= $talk_start AND (first_leave IS NULL OR first_leave > due) THEN due END),
  ($time_to_join, CASE WHEN tried <= first_join AND (first_leave IS NULL OR first_join <= first_leave) THEN first_join END),
  ($time_to_exit, CASE WHEN tried <= first_leave AND (first_join IS NULL OR first_leave < first_join) THEN first_leave END)
]) AS measured (measure, first_at)
WHERE first_at IS NOT NULL;

CREATE TEMPORARY VIEW listener_facts_by_space AS
SELECT shard, first_join - MOD(first_join, $window_ms) AS window_at, space AS name, 'first_joins' AS measure,
  CAST(1 AS BIGINT) AS n
FROM (
  SELECT shard, listener, space, MIN(`at`) AS first_join
  FROM presence_once WHERE kind = 'join' GROUP BY shard, listener, space
);

CREATE TEMPORARY VIEW author_facts AS
SELECT shard, first_tweet - MOD(first_tweet, $window_ms) AS window_at, name, 'first_authors' AS measure,
  CAST(1 AS BIGINT) AS n
FROM (
  SELECT shard, author, name, MIN(`at`) AS first_tweet
  FROM tweets_once CROSS JOIN UNNEST(ARRAY[subject, '*']) AS counted_under (name)
  GROUP BY shard, author, name
);

-- How far a partition has been read.

CREATE TEMPORARY VIEW presence_read AS
SELECT shard, measure, n
FROM (
  SELECT shard, COUNT(*) AS records, COUNT(*) FILTER (WHERE sort = 'dead letter') AS dead_letters,
    MAX(`at`) FILTER (WHERE sort = 'mark') AS passed, COUNT(*) FILTER (WHERE sort = 'mark') AS marks,
    COUNT(*) FILTER (WHERE sort = 'mark' AND mark = 'end') AS ends
  FROM presence_checked GROUP BY shard
) CROSS JOIN UNNEST(ARRAY[
  ('records', records), ('dead_letters', dead_letters), ('watermark', passed), ('marks', marks), ('$ends_read', ends)
]) AS measured (measure, n)
WHERE n IS NOT NULL;

CREATE TEMPORARY VIEW tweets_read AS
SELECT shard, measure, n
FROM (
  SELECT shard, COUNT(*) AS records, COUNT(*) FILTER (WHERE sort = 'dead letter') AS dead_letters,
    MAX(`at`) FILTER (WHERE sort = 'mark') AS passed, COUNT(*) FILTER (WHERE sort = 'mark') AS marks,
    COUNT(*) FILTER (WHERE sort = 'mark' AND mark = 'end') AS ends
  FROM tweets_checked GROUP BY shard
) CROSS JOIN UNNEST(ARRAY[
  ('records', records), ('dead_letters', dead_letters), ('watermark', passed), ('marks', marks), ('$ends_read', ends)
]) AS measured (measure, n)
WHERE n IS NOT NULL;

-- Each fact is a number that is added to one count of one row. Results have a window; progress has none.

CREATE TEMPORARY VIEW facts AS
SELECT IF(measure IN ('events', 'ends'), 'space.presence', 'results.audience') AS about, shard,
  IF(measure IN ('events', 'ends'), -1, window_at) AS window_at, IF(measure IN ('events', 'ends'), '', name) AS name, measure, n
FROM presence_facts
UNION ALL
SELECT IF(measure IN ('events', 'ends'), 'tweets', 'results.reaction'), shard,
  IF(measure IN ('events', 'ends'), -1, window_at), IF(measure IN ('events', 'ends'), '', name), measure, n
FROM tweet_facts
UNION ALL
SELECT 'results.audience', shard, window_at, name, measure, n FROM listener_facts
UNION ALL
SELECT 'results.audience', shard, window_at, name, measure, n FROM listener_facts_by_space
UNION ALL
SELECT 'results.reaction', shard, window_at, name, measure, n FROM author_facts
UNION ALL
SELECT 'space.presence', shard, -1, '', measure, n FROM presence_read
UNION ALL
SELECT 'tweets', shard, -1, '', measure, n FROM tweets_read;

-- One writer, one transaction per checkpoint: the committed records hold everything that follows from the input before
-- some offsets, and nothing after.

CREATE TEMPORARY TABLE counts (
  about STRING,
  shard INT,
  window_at BIGINT,
  name STRING,
  measure STRING,
  n BIGINT,
  PRIMARY KEY (about, shard, window_at, name, measure) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = '$counts_topic',
  'key.format' = 'json',
  'value.format' = 'json',
  'value.fields-include' = 'EXCEPT_KEY',
  'sink.parallelism' = '1',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = '$counts_topic',
  'sink.transaction-naming-strategy' = 'POOLING',
  'properties.transaction.timeout.ms' = '600000',
  $connection
);

INSERT INTO counts
SELECT about, shard, window_at, name, measure, SUM(n) FROM facts GROUP BY about, shard, window_at, name, measure;

-- Dead letters go to their topic before the checkpoint that counts them is complete. After a crash some come again, under
-- the same keys.

CREATE TEMPORARY TABLE dead_letters (
  source STRING,
  data BYTES,
  headers MAP<STRING, BYTES> METADATA
) WITH (
  'connector' = 'kafka',
  'topic' = '$dead_letters_topic',
  'key.format' = 'raw',
  'key.fields' = 'source',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY',
  'sink.delivery-guarantee' = 'at-least-once',
  $connection
);

INSERT INTO dead_letters
SELECT source, data, MAP['reason', ENCODE(problem, 'UTF-8'), 'source', ENCODE(source, 'UTF-8')]
FROM (
  SELECT '$presence_topic[' || CAST(shard AS STRING) || ']@' || CAST(place AS STRING) AS source, data, problem
  FROM presence_checked WHERE sort = 'dead letter'
  UNION ALL
  SELECT '$tweets_topic[' || CAST(shard AS STRING) || ']@' || CAST(place AS STRING), data, problem
  FROM tweets_checked WHERE sort = 'dead letter'
);
