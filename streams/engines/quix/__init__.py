"""Engine ``quix``: Quix Streams with its own state and changelogs."""
