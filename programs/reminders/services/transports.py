"""All channels, and those that this installation is configured for."""

from __future__ import annotations

from collections.abc import Sequence

from programs.reminders.services.channels import Transport
from programs.reminders.services.email import Email


def transports() -> Sequence[Transport]:
    return (Email(),)


def open_channels() -> Sequence[Transport]:
    return [transport for transport in transports() if transport.is_open()]
