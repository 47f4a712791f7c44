"""The channels that there are, and those that this installation is set up for."""

from __future__ import annotations

from collections.abc import Sequence

from programs.reminders.services.channels import Way
from programs.reminders.services.email import Email


def ways() -> Sequence[Way]:
    return (Email(),)


def open_channels() -> Sequence[Way]:
    return [way for way in ways() if way.is_open()]
