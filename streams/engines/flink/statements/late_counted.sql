-- Every event is added to its window, however late it is: no window ever closes.

CREATE TEMPORARY VIEW presence_facts AS
SELECT shard, window_at, name, measure, CAST(1 AS BIGINT) AS n FROM presence_measures;

CREATE TEMPORARY VIEW tweet_facts AS
SELECT shard, window_at, name, measure, CAST(1 AS BIGINT) AS n FROM tweet_measures;
