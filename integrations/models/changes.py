"""Families of facts, and the outbox of their changes."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import models
from django.db.models.functions import Now

from integrations.enums import Kind


class FactFamily(models.TextChoices):
    """Groups of facts that metrics depend on together."""

    AI = "ai", "Agent sessions, tokens, tools"
    ENROLMENT = "enrolment", "Who ever sent telemetry"
    SEATS = "seats", "Seats of agents: who has one, and what they cost"
    CODE = "code", "Commits, their lines, and what of them came from agents"
    CLONE = "clone", "Clones: what becomes of lines, and branches"
    PULL_REQUEST = "pull_request", "Pull requests, their reviews and links"
    WORK_ITEM = "work_item", "Work items and their history"
    SPRINT = "sprint", "Sprints, and what became of their work"
    PIPELINE = "pipeline", "Pipeline runs and their jobs"
    DEPLOYMENT = "deployment", "Deployments"
    INCIDENT = "incident", "Incidents"
    TEST = "test", "Test reports"
    COVERAGE = "coverage", "Coverage reports"
    CODE_SCANNING = "code_scanning", "Code scanning alerts"
    VENDOR = "vendor", "What vendors of agents report about use and cost"
    EFFORT = "effort", "People's time, and what it went to"
    HAND_KEPT = "hand_kept", "Values that people enter"


FAMILY_OF_KIND: Mapping[Kind, FactFamily] = {
    Kind.PULL_REQUEST: FactFamily.PULL_REQUEST,
    Kind.DEPLOYMENT: FactFamily.DEPLOYMENT,
    Kind.PIPELINE_RUN: FactFamily.PIPELINE,
    Kind.WORK_ITEM: FactFamily.WORK_ITEM,
    Kind.SPRINT: FactFamily.SPRINT,
    Kind.INCIDENT: FactFamily.INCIDENT,
    Kind.TEST_REPORT: FactFamily.TEST,
    Kind.COVERAGE_REPORT: FactFamily.COVERAGE,
    Kind.CODE_SCANNING_ALERT: FactFamily.CODE_SCANNING,
    Kind.VENDOR_REPORT: FactFamily.VENDOR,
    Kind.COMMIT: FactFamily.CODE,
}
"""The family of a kind of records; repositories and releases have none, because no metric reads them."""


class FactChange(models.Model):
    """Facts of a family changed on days [day_from, day_to).

    Appended in the transaction that changes the facts, and consumed by readers: integrations/outbox/fact_changes.py.
    """

    family = models.CharField(max_length=20, choices=FactFamily.choices)
    day_from = models.DateField()
    day_to = models.DateField()
    at = models.DateTimeField(db_default=Now())
