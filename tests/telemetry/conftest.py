"""Shared fixtures of telemetry tests."""

from __future__ import annotations

import pytest

from tests.telemetry.intake import Intake


@pytest.fixture
def intake() -> Intake:
    return Intake()
