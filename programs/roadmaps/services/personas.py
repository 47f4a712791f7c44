"""Personas: the built-in ones, the viewer's own, and the values of their metrics."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from django.apps.registry import Apps
from django.apps.registry import apps as installed
from django.db import transaction
from django.db.models import Prefetch

from insights.catalogue.declarations import Metric
from insights.catalogue.registry import find
from insights.pages.answers import Answers, InsightsPage, PageQuery
from insights.query import windows
from insights.ui.filters import Choice, Filters
from orgtree.access.access import Access
from orgtree.models import PersonAttribute
from programs.models import Persona, PersonaMetric
from programs.roadmaps.built_in_personas import BUILT_IN, DEVELOPER, ENGINEERING_MANAGER, EXECUTIVE, PRODUCT_MANAGER

PERSONA_PAGE = InsightsPage("persona_roadmap")
QUARTERS = (1, 2, 3, 4)
TITLES = ("role", "sub_role")  # attributes of people
FORECAST = "delivery.forecast"  # not a metric: the number of open epics that will be finished by their planned date
HAND_KEPT = "hand."  # the prefix of metrics whose values are entered by hand
LAST, RUNNING = "last", "running"
PERIOD = Choice("period", {LAST: "Last quarter", RUNNING: "This quarter to date"})


def all_personas() -> list[Persona]:
    """All personas with their metrics by quarter; two queries."""
    metrics = Prefetch("metrics", PersonaMetric.objects.order_by("quarter", "position", "pk"))
    return list(Persona.objects.prefetch_related(metrics))


def own_persona(personas: Sequence[Persona], access: Access) -> Persona | None:
    """The viewer's persona: the longest match of the role or sub-role, else by permissions."""
    words = " ".join(_titles(access)).casefold()
    fitting = [
        (len(title), persona)
        for persona in personas
        for title in (part.strip().casefold() for part in persona.job_titles.split(","))
        if title and re.search(rf"\b{re.escape(title)}\b", words)
    ]
    if fitting:
        return max(fitting, key=lambda one: one[0])[1]
    visibility = access.visibility
    slug = EXECUTIVE if visibility.leads_whole else ENGINEERING_MANAGER if visibility.leads_any else DEVELOPER
    return next((persona for persona in personas if persona.slug == slug), None)


def is_product_manager(access: Access) -> bool:
    """Whether the viewer's job title is that of a product manager."""
    if not _titles(access):
        return False
    own = own_persona(all_personas(), access)
    return own is not None and own.slug == PRODUCT_MANAGER


def _titles(access: Access) -> list[str]:
    if access.visibility.person_id is None:
        return []
    own = PersonAttribute.objects.filter(person=access.visibility.person_id, attribute__slug__in=TITLES)
    return list(own.filter(during__contains=windows.local_today()).values_list("value", flat=True))


def in_period(filters: Filters) -> Filters:
    """The filters over the last complete quarter or the current one, as PERIOD says."""
    current = windows.quarter_of(filters.today)
    if filters.picked[PERIOD.parameter] == RUNNING:
        return filters.with_range("quarter")
    return filters.with_range(windows.quarter_name(current.start - timedelta(days=1)))


def persona_figures(personas: Sequence[Persona], filters: Filters) -> Answers:
    """Reads all metrics of the personas over the current and the previous window, together."""
    keys = dict.fromkeys(row.metric for persona in personas for row in persona.metrics.all())
    wanted = [PageQuery(key, compared=True, whole=True) for key in keys if measured_metric(key) is not None]
    return PERSONA_PAGE.read(replace(filters, choices=()), wanted)


def measured_metric(key: str) -> Metric | None:
    """The metric with this key; None if it does not exist (yet), or only has values by agent or language."""
    metric = find(key)
    return None if metric is None or metric.always_by else metric


def why_unmeasured(key: str) -> str:
    """The reason why the metric has no value, and what it needs."""
    metric = find(key)
    if metric is not None:
        return f"{metric.name} has a value for each {metric.always_by[0].value.replace('_', ' ')}, but none overall."
    if key == FORECAST:
        return "Not one figure: see the dates and odds of epics under Planning, Forecast."
    if key.startswith(HAND_KEPT):
        name = key.removeprefix(HAND_KEPT).replace("_", " ")
        return f"Not measured: the hand-kept metric “{name}” is not set up."
    return "Not measured: no connected tool provides this metric."


def restore_personas() -> None:
    """Restores the built-in personas to their original state; added ones stay."""
    with transaction.atomic():
        Persona.objects.filter(slug__in=[persona.slug for persona in BUILT_IN]).delete()
        add_built_in_personas(installed, "default")


def add_built_in_personas(apps: Apps, using: str) -> None:
    personas = apps.get_model("programs", "Persona")._default_manager.using(using)
    metric = apps.get_model("programs", "PersonaMetric")
    for position, built_in in enumerate(BUILT_IN, start=1):
        persona = personas.create(
            slug=built_in.slug, name=built_in.name, job_titles=built_in.job_titles, position=position * 10
        )
        metric._default_manager.using(using).bulk_create(
            metric(persona=persona, quarter=quarter, position=number * 10, label=label, metric=key)
            for quarter, cell in zip(QUARTERS, built_in.quarters, strict=True)
            for number, (label, key) in enumerate(cell, start=1)
        )
