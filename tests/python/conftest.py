"""Settings shared by all Python tests."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from faulty_server import FaultyServer

# Time limits per example say more about the machine than about the code.
settings.register_profile(
    "quick", max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", settings.get_profile("quick"), max_examples=5000)
settings.load_profile(os.environ.get("GENOMEVEDIC_HYPOTHESIS", "quick"))


@pytest.fixture(scope="module")
def server() -> Iterator[FaultyServer]:
    """A server that fails as it is told to."""
    with FaultyServer() as made:
        yield made


@pytest.fixture
def path(request: pytest.FixtureRequest) -> str:
    """A path on it that no other test serves."""
    return "/" + re.sub(r"\W+", "-", request.node.name)
