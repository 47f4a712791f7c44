"""How letters leave Headway.  A further channel is a class that ways.py names and a word of programs.models.Channel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol
from uuid import UUID

from django.contrib.auth.models import User

from programs.models import Channel


class RefusedError(Exception):
    """The channel will never take this letter: a bad address, a text that it refuses."""


class PutOffError(Exception):
    """The channel doesn't take this letter now; others it may."""


class AwayError(Exception):
    """The channel takes nothing now: it can't be reached, or refuses us."""


class UnansweredError(Exception):
    """The letter was handed over and no answer came: it may have arrived."""


@dataclass(frozen=True)
class Item:
    """One thing that a letter says.  `path` is that of a page of Headway."""

    label: str
    title: str
    path: str
    detail: str = ""
    quote: str = ""


@dataclass(frozen=True)
class Written:
    """A letter as it is to be sent: the same at each try, but for what has been settled meanwhile."""

    public_id: UUID
    made_at: datetime
    account: User
    name: str
    items: Sequence[Item]


class Session(Protocol):
    def hand_over(self, email: Written, *, last_step: Callable[[], None]) -> None:
        """Returns when the channel has taken the letter.

        Calls `last_step` once, immediately before the step from which on it may have arrived.  Raises RefusedError,
        PutOffError, AwayError or UnansweredError, and whatever `last_step` raises.
        """


class Way(Protocol):
    word: ClassVar[Channel]

    def is_open(self) -> bool:
        """Whether this installation is set up for it: nothing is put into an outbox that nobody empties."""

    def reaches(self, account: User) -> bool:
        """Whether the account has an address there."""

    def session(self) -> AbstractContextManager[Session]:
        """For several letters.  Opens nothing until the first is handed over."""
