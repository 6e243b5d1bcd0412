"""Properties hold on a busy machine too: no example has to be ready within a time."""

from hypothesis import settings

settings.register_profile("joinstorm", deadline=None)
settings.load_profile("joinstorm")
