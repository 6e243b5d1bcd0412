-- Every event is added to its window, however late it comes: no window is ever closed.

CREATE TEMPORARY VIEW presence_facts AS
SELECT shard, window_at, name, measure, CAST(1 AS BIGINT) AS n FROM presence_said;

CREATE TEMPORARY VIEW tweet_facts AS
SELECT shard, window_at, name, measure, CAST(1 AS BIGINT) AS n FROM tweets_said;
