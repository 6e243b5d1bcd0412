-- The two input topics, as bytes, and what their records are: the functions apply the contract's own decoder.

CREATE TEMPORARY TABLE presence (
  data BYTES,
  shard INT METADATA FROM 'partition' VIRTUAL,
  place BIGINT METADATA FROM 'offset' VIRTUAL,
  arrival AS PROCTIME()$watermark
) WITH (
  'topic' = '$presence_topic',
  $reading
);

CREATE TEMPORARY TABLE tweets (
  data BYTES,
  shard INT METADATA FROM 'partition' VIRTUAL,
  place BIGINT METADATA FROM 'offset' VIRTUAL,
  arrival AS PROCTIME()$watermark
) WITH (
  'topic' = '$tweets_topic',
  $reading
);

CREATE TEMPORARY VIEW presence_checked AS
SELECT *
FROM presence CROSS JOIN LATERAL TABLE(read_presence(data)) AS record
  (sort, problem, mark, `at`, event_id, kind, listener, space, client, `try`, reason, since_drop_ms);

CREATE TEMPORARY VIEW tweets_checked AS
SELECT *
FROM tweets CROSS JOIN LATERAL TABLE(read_tweet(data)) AS record
  (sort, problem, mark, `at`, event_id, kind, author, conversation, text, hashtags);

-- The columns of an event that the counts need, and each event once: the first record with its id to arrive.

CREATE TEMPORARY VIEW presence_events AS
SELECT event_id, shard, `at`, kind, listener, space, client, `try`, reason, since_drop_ms, arrival$happened
FROM presence_checked WHERE sort = 'event';

CREATE TEMPORARY VIEW tweet_events AS
SELECT event_id, shard, `at`, kind, author, conversation, hashtags, arrival$happened,
  CASE
    $subjects
    ELSE 'other'
  END AS subject
FROM (
  SELECT *, TRANSLATE(text, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') AS lower_text
  FROM tweets_checked WHERE sort = 'event'
);

CREATE TEMPORARY VIEW presence_once AS
SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY arrival ASC) AS copy FROM presence_events)
WHERE copy = 1;

CREATE TEMPORARY VIEW tweets_once AS
SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY arrival ASC) AS copy FROM tweet_events)
WHERE copy = 1;

-- The counts of its window that an event increments. A window is a number here.

CREATE TEMPORARY VIEW presence_measures AS
SELECT event_id, shard, `at` - MOD(`at`, $window_ms) AS window_at, space AS name, measure$happened
FROM $presence_read CROSS JOIN UNNEST(ARRAY[
  'events',
  CASE kind
    WHEN 'attempt' THEN 'attempts'
    WHEN 'join' THEN 'joins'
    WHEN 'fail' THEN 'fails'
    WHEN 'drop' THEN 'drops'
    ELSE IF(COALESCE(reason, '') = '$gave_up', 'give_ups', 'leaves')
  END,
  CASE WHEN kind = 'attempt' AND `try` = 1 THEN 'arrivals' END,
  CASE WHEN kind = 'join' AND since_drop_ms <= $rejoin_within_ms THEN 'rejoins_60s' END,
  CASE WHEN kind = 'join' AND since_drop_ms IS NOT NULL THEN $time_to_rejoin END,
  CASE WHEN COALESCE(reason, '') <> '$gave_up' OR kind <> 'leave' THEN $by_client END,
  $by_reason
]) AS measured (measure)
WHERE measure IS NOT NULL;

CREATE TEMPORARY VIEW tweet_measures AS
SELECT event_id, shard, `at` - MOD(`at`, $window_ms) AS window_at, subject AS name,
  IF(number <= 3, measure, 'hashtag:' || measure) AS measure$happened
FROM $tweets_read CROSS JOIN UNNEST(ARRAY_CONCAT(
  ARRAY[
    'events',
    CASE kind WHEN 'post' THEN 'posts' WHEN 'reply' THEN 'replies' WHEN 'quote' THEN 'quotes' ELSE 'reposts' END,
    CASE WHEN kind = 'repost' AND conversation = $thread THEN 'thread_reposts' END
  ],
  COALESCE(ARRAY_DISTINCT(hashtags), ARRAY[CAST(NULL AS STRING)])
)) WITH ORDINALITY AS measured (measure, number)
WHERE measure IS NOT NULL;
