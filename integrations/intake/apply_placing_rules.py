"""Applies a changed or deleted placing rule: records that it had placed move, or wait for a place like others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from django.db import transaction
from django.db.models import Q

from integrations.enums import Kind
from integrations.intake.commits import delete_reported_commits
from integrations.intake.deleted_records import live_records, move_records, take_out
from integrations.intake.place_waiting import in_steps
from integrations.intake.placing import Subject, find_places
from integrations.intake.placing_rules import is_matched
from integrations.intake.resolve import Named, Place, resolve_services
from integrations.intake.tables import load_draft
from integrations.intake.unplaced import Unplaced, keep
from integrations.models import (
    Connection,
    Deployment,
    Incident,
    Owned,
    OwnedKind,
    PlacingRule,
    ProviderFact,
    RuledRecord,
)

SERVED: Mapping[Kind, type[ProviderFact]] = {Kind.DEPLOYMENT: Deployment, Kind.INCIDENT: Incident}
Move = Callable[[Sequence[RuledRecord]], int]


def apply_placing_rules() -> int:
    """Move the records whose place or service the rules now decide differently; return how many."""
    connections = Connection.objects.filter(removed_at=None)
    ruled = connections.filter(pk__in=RuledRecord.objects.order_by().values("connection"))
    return sum(_apply(connection) for connection in ruled.order_by("pk")) + _apply_service_rules()


def _apply(connection: Connection) -> int:
    moved = 0
    of_connection = RuledRecord.objects.filter(connection=connection)
    groups = of_connection.order_by("kind", "subject", "named", "source", "target").values_list(
        "kind", "subject", "named", "source", "target"
    )
    for kind, subject, *name, target in list(groups.distinct()):
        named = Named(*name)
        rows = of_connection.filter(kind=kind, subject=subject, named=name[0], source=name[1], target=target)
        if subject == Subject.SERVICE:
            service = resolve_services(connection, {named.repository})[named.repository]
            holds = service.by_rule and service.name == target
            move = _to_service(connection, Kind(kind), service.name, by_rule=service.by_rule)
        else:
            with transaction.atomic():  # pushed records may get a place by it
                place = find_places(connection, Kind(kind), {named})[named]
            holds = place.by_rule and str(place.id) == target
            move = _to_repository(connection, Kind(kind), named, place)
        if not holds:
            moved += in_steps(connection, Kind(kind), rows, move)
    return moved


def _to_repository(connection: Connection, kind: Kind, named: Named, place: Place) -> Move:
    def move(rows: Sequence[RuledRecord]) -> int:
        live = live_records(connection, kind, [row.external_id for row in rows]) if kind != Kind.COMMIT else []
        if kind == Kind.COMMIT:  # it waits, and is placed from there
            delete_reported_commits(connection, [row.external_id for row in rows], repositories=[int(rows[0].target)])
            drafts = {row.external_id: [load_draft(kind, document) for document in row.drafts] for row in rows}
            keep(connection, {(kind, id_): Unplaced(named, place, of_it) for id_, of_it in drafts.items()})
        elif place.id is not None or kind == Kind.INCIDENT:  # an incident also counts without a repository
            move_records(connection, kind, live, repository_id=place.id)
        else:
            take_out(connection, kind, live)
        if place.id is None and live:
            waiting = {(kind, external_id): Unplaced(named, place, ()) for external_id in live}
            keep(connection, waiting, stored=True)
        _note(rows, str(place.id), by_rule=place.by_rule and kind != Kind.COMMIT)
        return len(rows)

    return move


def _to_service(connection: Connection, kind: Kind, service: str, *, by_rule: bool) -> Move:
    def move(rows: Sequence[RuledRecord]) -> int:
        live = live_records(connection, kind, [row.external_id for row in rows])
        move_records(connection, kind, live, service=service)
        _note(rows, service, by_rule=by_rule)
        return len(rows)

    return move


def _note(rows: Sequence[RuledRecord], target: str, *, by_rule: bool) -> None:
    same = RuledRecord.objects.filter(pk__in=[row.pk for row in rows])
    if by_rule:
        same.update(target=target)
    else:
        same.delete()


def _apply_service_rules() -> int:
    """Rename the services of records that were stored before a rule existed."""
    rules = list(PlacingRule.objects.filter(subject=Subject.SERVICE))
    if not rules:
        return 0
    services = Owned.objects.filter(kind=OwnedKind.SERVICE).values_list("name", flat=True)
    matched = [name for name in services if any(is_matched(rule, [name]) for rule in rules)]
    renamed = 0
    for name in matched:
        for kind, model in SERVED.items():
            stored = model._default_manager.filter(Q(service=name), deleted_at=None, connection__removed_at=None)
            connections = set(stored.order_by().values_list("connection", flat=True))
            for connection in Connection.objects.filter(pk__in=connections).order_by("pk"):
                service = resolve_services(connection, {name})[name]
                if service.by_rule and service.name != name:
                    renamed += in_steps(
                        connection,
                        kind,
                        stored.filter(connection=connection),
                        _rename(connection, kind, name, service.name),
                    )
    return renamed


def _rename(connection: Connection, kind: Kind, written: str, service: str) -> Callable[[Sequence[ProviderFact]], int]:
    def rename(records: Sequence[ProviderFact]) -> int:
        move_records(connection, kind, [record.external_id for record in records], service=service)
        RuledRecord.objects.bulk_create(
            [
                RuledRecord(
                    connection=connection,
                    kind=kind,
                    external_id=record.external_id,
                    subject=Subject.SERVICE,
                    named=written,
                    target=service,
                )
                for record in records
            ],
            ignore_conflicts=True,
        )
        return len(records)

    return rename
