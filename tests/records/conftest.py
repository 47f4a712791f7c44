from __future__ import annotations

from tests.intake.conftest import github, tell

__all__ = ["github", "tell"]
