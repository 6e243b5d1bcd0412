"""The stream side: events, topics, pure folds, results, engines, exporter; imports nothing of the other packages."""
