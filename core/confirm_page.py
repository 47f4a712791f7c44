"""A generic page before an act that nobody can undo: what it makes permanent, what is missing, and who will see it.

A page that shows more than that before the act includes `components/consequences.html` beside its own button.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from core.form_page import FormPage


@dataclass(frozen=True)
class Consequences:
    """Three answers before the act, each in sentences; nothing is missing where `missing` is empty."""

    permanent: str
    missing: Sequence[str]
    readers: str


class ConfirmPage(FormPage):
    """GET says what the act does to the record of the address; POST does it, and leads to the record."""

    template_name = "components/confirm_page.html"
    icon: ClassVar[str] = "lock"  # of the button
    keep: ClassVar[str] = "Cancel"  # the way back

    @property
    def consequences(self) -> Consequences:
        raise NotImplementedError

    def context(self, form: Any) -> Mapping[str, Any]:
        return {"consequences": self.consequences, "icon_name": self.icon, "keep": self.keep}
