"""Transports that deliver messages outside Headway.

A new channel is a `Transport`, listed by `transports` in email.py, and a value of programs.models.Channel.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol
from uuid import UUID

from django.contrib.auth.models import User

from core.hooks import Hook
from programs.models import Channel, DigestContent, Notice

# Hooks of higher-level packages that return, of the notices to be sent, the ids that no longer apply.
settled_notices: Hook[Callable[[Sequence[Notice]], Collection[int]]] = Hook()


def settled_among(notices: Sequence[Notice]) -> set[int]:
    return {pk for settled in settled_notices for pk in settled(notices)}


class RefusedError(Exception):
    """The channel rejects this e-mail permanently: a bad address, or refused content."""


class DeferredError(Exception):
    """The channel rejects this e-mail temporarily; it may accept others."""


class UnreachableError(Exception):
    """The channel is unreachable, or rejects the sender."""


class UnansweredError(Exception):
    """The e-mail was handed over, but no answer came: it may have arrived."""


@dataclass(frozen=True)
class Item:
    """An entry of an e-mail.  `path` is a page of Headway."""

    label: str
    title: str
    path: str
    detail: str = ""
    quote: str = ""


@dataclass(frozen=True)
class CalendarObject:
    """A calendar object (RFC 5545); `method` is REQUEST or CANCEL (RFC 5546)."""

    method: str
    content: bytes


@dataclass(frozen=True)
class EmailContent:
    """The content of an e-mail: the same at each attempt, except for notices that no longer apply."""

    public_id: UUID
    made_at: datetime
    account: User
    name: str
    items: Sequence[Item]
    calendar: CalendarObject | None = None
    digest: DigestContent | None = None  # if the e-mail is a digest


# The hook that builds the calendar object of an invitation or cancellation, from the package that sends it.
calendar_objects: Hook[Callable[[Notice], CalendarObject | None]] = Hook()


class Session(Protocol):
    def hand_over(self, email: EmailContent, *, last_step: Callable[[], None]) -> None:
        """Hands the e-mail to the channel; returns once the channel has accepted it.

        Calls `last_step` once, immediately before the step after which the e-mail may have arrived.  Raises
        RefusedError, DeferredError, UnreachableError or UnansweredError, and whatever `last_step` raises.
        """


class Transport(Protocol):
    word: ClassVar[Channel]

    def is_open(self) -> bool:
        """Whether the channel is configured in this installation; otherwise nothing is queued."""

    def reaches(self, account: User) -> bool:
        """Whether the account has an address on this channel."""

    def session(self) -> AbstractContextManager[Session]:
        """A session for several e-mails, which connects when the first is sent."""
