"""Records that wait for a place, grouped by the unresolved name and the reason, for the health page and admin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Count, F, Max, Min, When, Window
from django.db.models.functions import RowNumber

from integrations.enums import Kind
from integrations.models import UnplacedReason, UnplacedRecord


@dataclass(frozen=True, slots=True)
class UnplacedGroup:
    """Records of one kind and connection with the same name; `source` is set if they all have the same one."""

    connection: int
    kind: Kind
    named: str
    reason: UnplacedReason
    detail: str
    number: int
    source: str
    sources: int
    first_seen_at: datetime
    last_seen_at: datetime

    @property
    def sentence(self) -> str:
        """The group in words: 38 pipeline runs of payments/main name github.com/acme/pay. No connection knows it."""
        records = self.kind.words_for(self.number)
        of = f" of {self.source}" if self.source else f" of {self.sources:,} sources" if self.sources > 1 else ""
        verb = "names" if self.number == 1 else "name"
        named = f"{self.named}. {self.detail}" if self.named else "no repository."
        return f"{self.number:,} {records}{of} {verb} {named}"

    @property
    def is_for_rule(self) -> bool:
        """Whether a rule can place them; not for work items, which belong only to projects of their connection."""
        return self.kind != Kind.WORK_ITEM and bool(self.pattern) and self.reason != UnplacedReason.FAILED

    @property
    def pattern(self) -> str:
        """The pattern of a rule that would match them."""
        return self.named or self.source


def unplaced_groups(connection: int | None = None, *, most: int | None = None) -> Sequence[UnplacedGroup]:
    """The groups of waiting records, largest first: all of one connection, or at most `most` of each."""
    waiting = UnplacedRecord.objects.waiting()
    if connection is not None:
        waiting = waiting.filter(connection=connection)
    rows = (
        waiting.order_by()
        .annotate(matched=Case(When(named="", then=F("source")), default=F("named")))  # the name that a rule matches
        .values("connection", "kind", "named", "matched", "reason", "detail")
        .annotate(
            number=Count("pk"),
            sources=Count("source", distinct=True),
            source=Max("source"),
            first=Min("first_seen_at"),
            last=Max("last_seen_at"),
        )
    )
    if most is not None:
        nth = Window(RowNumber(), partition_by=F("connection"), order_by=[F("number").desc(), F("kind"), F("matched")])
        rows = rows.annotate(nth=nth).filter(nth__lte=most)
    return [
        UnplacedGroup(
            connection=row["connection"],
            kind=Kind(row["kind"]),
            named=row["named"],
            reason=UnplacedReason(row["reason"]),
            detail=row["detail"],
            number=row["number"],
            source=row["source"] if row["sources"] == 1 else "",
            sources=row["sources"],
            first_seen_at=row["first"],
            last_seen_at=row["last"],
        )
        for row in rows.order_by("connection", "-number", "kind", "matched")
    ]
