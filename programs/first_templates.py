"""Adds the built-in templates and personas to an installation that has none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.apps.registry import Apps
from django.apps.registry import apps as installed
from django.db import connections, transaction

from programs.objectives import built_in_templates as objective_templates
from programs.roadmaps.services.personas import add_built_in_personas
from programs.tickets import built_in_templates as ticket_templates


def add_first_templates(*, using: str, apps: Apps = installed, **_signal: Any) -> None:
    """Adds the built-in templates; a receiver of `post_migrate`, which is also sent when a database is emptied."""
    connection = connections[using]
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
    with transaction.atomic(using=using):
        for model_name, add in FIRST:
            if model_name.lower() not in apps.all_models["programs"]:  # migrated to an earlier version
                continue
            model = apps.get_model("programs", model_name)
            if model._meta.db_table in tables and not model._default_manager.using(using).exists():
                add(apps, using)


def _add_objectives(apps: Apps, using: str) -> None:
    templates = apps.get_model("programs", "ObjectiveTemplate")._default_manager.using(using)
    key_result = apps.get_model("programs", "TemplateKeyResult")
    for position, (slug, title, meaning, description, outcomes) in enumerate(objective_templates.BUILT_IN, start=1):
        added = templates.create(
            slug=slug, name=title, meaning=meaning, title=title, description=description, position=position * 10
        )
        key_result._default_manager.using(using).bulk_create(
            key_result(template=added, position=number, **outcome) for number, outcome in enumerate(outcomes)
        )


def _add_tickets(apps: Apps, using: str) -> None:
    template = apps.get_model("programs", "TicketTemplate")
    template._default_manager.using(using).bulk_create(
        template(
            slug=slug,
            nature=nature,
            title=title,
            kind=kind,
            metric=metric,
            days=days,
            resolution=resolution,
            position=position * 10,
        )
        for position, (slug, nature, title, kind, metric, days, resolution) in enumerate(
            ticket_templates.BUILT_IN, start=1
        )
    )


FIRST: tuple[tuple[str, Callable[[Apps, str], None]], ...] = (
    ("ObjectiveTemplate", _add_objectives),
    ("TicketTemplate", _add_tickets),
    ("Persona", add_built_in_personas),
)
