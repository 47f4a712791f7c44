"""Vendors' daily reports of use and cost, kept apart from sessions, which come from telemetry."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from integrations.enums import VendorContent, VendorLevel
from integrations.models.provider_fact import ProviderFact, enum_field, text_field
from orgtree.models import Identity


class VendorReport(ProviderFact):
    """A vendor's report of one day (UTC); `first_seen_at` shows how late it was."""

    report = text_field()
    content = enum_field(VendorContent)
    day = models.DateField()

    class Meta(ProviderFact.Meta):
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["day"], name="vendor_report_by_day")]


class VendorUsage(models.Model):
    """The part of a report that concerns one person, key or project, product and model."""

    report = models.ForeignKey(VendorReport, models.CASCADE, related_name="usage", db_index=False)
    level = enum_field(VendorLevel)
    person = models.ForeignKey(Identity, models.PROTECT, null=True, related_name="+")
    name = text_field()
    agent = models.CharField(
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text="The agent's name in its sessions, such as claude_code.",
    )
    product = text_field()
    model = models.CharField(max_length=120, blank=True, default="", db_default="")
    people = models.BigIntegerField(null=True, help_text="Number of people, if the vendor does not identify them.")
    sessions = models.BigIntegerField(null=True)
    requests = models.BigIntegerField(null=True)
    suggestions = models.BigIntegerField(null=True)
    acceptances = models.BigIntegerField(null=True)
    lines_suggested = models.BigIntegerField(null=True)
    lines_added = models.BigIntegerField(null=True)
    lines_removed = models.BigIntegerField(null=True)
    lines_of_commit = models.BigIntegerField(null=True)
    input_tokens = models.BigIntegerField(null=True)
    cache_read_tokens = models.BigIntegerField(null=True)
    cache_write_tokens = models.BigIntegerField(null=True)
    output_tokens = models.BigIntegerField(null=True)
    cost = models.DecimalField(
        max_digits=20, decimal_places=10, null=True, help_text="The amount charged, in `currency`."
    )
    list_cost = models.DecimalField(max_digits=20, decimal_places=10, null=True, help_text="The cost before discounts.")
    spend_limit = models.DecimalField(
        max_digits=20,
        decimal_places=10,
        null=True,
        help_text="The monthly spend limit in `currency`; only in reports of limits.",
    )
    credits = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    currency = models.CharField(max_length=3, blank=True, default="", db_default="")
    phase = models.CharField(max_length=40, blank=True, default="", db_default="", help_text="The phase of adoption.")
    last_used_on = models.DateField(
        null=True, help_text="The last day on which a seat was used, according to the vendor."
    )

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["report", "person", "name", "product", "model"],
                name="vendor_usage_is_unique",
                nulls_distinct=False,
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["name"], condition=models.Q(lines_of_commit__isnull=False), name="vendor_usage_by_commit"
            )
        ]

    def __str__(self) -> str:
        return f"{self.report}: {self.product} {self.model}".strip()
