"""Cards that other features add to the page of a ticket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.hooks import Hook
from orgtree.access.access import Access
from programs.models import Ticket


@dataclass(frozen=True)
class TicketCard:
    template: str
    context: Mapping[str, Any]


ticket_cards: Hook[Callable[[Ticket, Access], TicketCard | None]] = Hook()
