"""Settings shared by all Python tests."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Time limits per example say more about the machine than about the code.
settings.register_profile(
    "quick", max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", settings.get_profile("quick"), max_examples=5000)
settings.load_profile(os.environ.get("GENOMEVEDIC_HYPOTHESIS", "quick"))
