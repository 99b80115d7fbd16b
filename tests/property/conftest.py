"""How Hypothesis runs: time is not what these tests measure, and machines differ."""

from hypothesis import settings

settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
