"""A vendor's record of a day: the use of one account, product and model, and the charge for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class VendorUse:
    """The use of a day; `known_at` is when the vendor has counted it.  Amounts in US dollars.

    `email` is empty for an API key, whose name is `account`.
    """

    day: date
    known_at: datetime
    account: str
    product: str
    model: str
    email: str = ""
    is_deleted: bool = False
    uncached_input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    requests: int = 0
    sessions: int = 0
    lines_added: int = 0
    lines_removed: int = 0
    accepted: int = 0
    rejected: int = 0
    cost: Decimal = Decimal(0)
    list_cost: Decimal = Decimal(0)

    @property
    def has_tokens(self) -> bool:
        return bool(self.uncached_input + self.cache_read + self.cache_write + self.output)
