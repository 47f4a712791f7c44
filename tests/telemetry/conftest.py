"""What tests of telemetry have in common."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integrations.telemetry.dictionary import forget_dictionary
from integrations.telemetry.store_sessions import forget_identities
from tests.telemetry.intake import Intake


@pytest.fixture
def intake() -> Iterator[Intake]:
    """With nothing remembered in this process of what another test received, or taught."""
    forget_identities()
    forget_dictionary()
    yield Intake()
    forget_dictionary()
