"""What several engines share: the simple fold, results with librdkafka, state folders, the end of a run."""
