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

# What features above know of notices that are to be sent: ids of those that are settled meanwhile.
settled_notices: Hook[Callable[[Sequence[Notice]], Collection[int]]] = Hook()


def settled_among(notices: Sequence[Notice]) -> set[int]:
    return {pk for settled in settled_notices for pk in settled(notices)}


class RefusedError(Exception):
    """The channel rejects this e-mail for good: a bad address, refused content."""


class DeferredError(Exception):
    """The channel rejects this e-mail for now; it may accept others."""


class UnreachableError(Exception):
    """The channel is unreachable, or rejects the sender."""


class UnansweredError(Exception):
    """The e-mail was handed over without an answer: it may have arrived."""


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
    """The content of an e-mail: the same at each attempt, except for notices that became irrelevant."""

    public_id: UUID
    made_at: datetime
    account: User
    name: str
    items: Sequence[Item]
    calendar: CalendarObject | None = None
    digest: DigestContent | None = None  # of an e-mail that is a digest


# The calendar object of an invitation or a cancellation, from the feature above that sends it.
calendar_objects: Hook[Callable[[Notice], CalendarObject | None]] = Hook()


class Session(Protocol):
    def hand_over(self, email: EmailContent, *, last_step: Callable[[], None]) -> None:
        """Returns when the channel has taken the e-mail.

        Calls `last_step` once, immediately before the step from which on it may have arrived.  Raises RefusedError,
        DeferredError, UnreachableError or UnansweredError, and whatever `last_step` raises.
        """


class Transport(Protocol):
    word: ClassVar[Channel]

    def is_open(self) -> bool:
        """Whether this installation is configured for it; otherwise nothing is queued."""

    def reaches(self, account: User) -> bool:
        """Whether the account has an address there."""

    def session(self) -> AbstractContextManager[Session]:
        """A session for several e-mails, which connects when the first is sent."""
