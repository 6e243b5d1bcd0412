"""Code shared by engines: the simple fold, writing results with librdkafka, state folders, detecting a run's end."""
