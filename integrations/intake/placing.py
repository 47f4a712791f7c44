"""Places of drafts: a repository or project that the connection knows, or one that another connection provides.

A provider's own records are found by its ids.  Other names are resolved (resolve.py); if a record has several drafts,
the name in the last one counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any

from integrations.connectors.base import ResourceDraft
from integrations.connectors.drafts import DeploymentDraft, Draft, IncidentDraft, PipelineRunDraft
from integrations.enums import Kind, ResourceKind
from integrations.intake.names import address_in, folded, spelled
from integrations.intake.places import projects_of, repositories_of, store_resource
from integrations.intake.resolve import NOWHERE, Named, Place, resolve_repositories, resolve_services
from integrations.intake.tables import TABLES, dump_draft
from integrations.intake.unplaced import Unplaced
from integrations.models import (
    Connection,
    PlacingRule,
    Repository,
    Resource,
    RuledRecord,
    UnplacedReason,
    UnplacedRecord,
)
from integrations.models.connections import PUSH
from integrations.models.placing import LONGEST_NAMED

LONGEST_ID, LONGEST_SOURCE = 200, 300
Subject = PlacingRule.Subject


@dataclass(slots=True)
class Placing:
    """Drafts of one kind by position, with their repositories or projects by name, and unplaced ones by external id.

    `decided` are the records (external id, subject) whose repository or service was found by a name other than the
    provider's own id, `ruled` those that a rule decided, `returning` the repositories of all records that have one.
    """

    connection: Connection
    kind: Kind
    drafts: dict[int, Draft]
    places: dict[str, int] = field(default_factory=dict)
    unplaced: dict[str, Unplaced] = field(default_factory=dict)
    ruled: dict[tuple[str, str], RuledRecord] = field(default_factory=dict)
    decided: set[tuple[str, str]] = field(default_factory=set)
    returning: dict[str, int] = field(default_factory=dict)

    def decide(self, external_id: str, named: Named, resolved: Place) -> None:
        """Note where the record belongs, or that it belongs nowhere."""
        if resolved.id is None:
            self.unplaced[external_id] = Unplaced(named, resolved, ())
            return
        self.decided.add((external_id, Subject.REPOSITORY))
        self.returning[external_id] = resolved.id
        self.places[_key(resolved.id)] = resolved.id
        if resolved.by_rule:
            self.note_rule(external_id, Subject.REPOSITORY, named, str(resolved.id))

    def note_rule(self, external_id: str, subject: Subject, named: Named, target: str) -> None:
        """Note that a rule decided which repository or service the record's name means."""
        self.ruled[external_id, subject] = RuledRecord(
            connection=self.connection,
            kind=self.kind,
            external_id=external_id,
            subject=subject,
            named=named.repository,
            source=named.source,
            target=target,
        )


def place(
    connection: Connection, kind: Kind, drafts: Mapping[int, Draft], waiting: Iterable[UnplacedRecord] = ()
) -> Placing:
    """Resolve the places of these drafts, in the caller's transaction; an unknown pushed name becomes a repository.

    Some of the `waiting` records have no draft: those that a deleted rule had placed.
    """
    place_field = _place_field(kind)
    if not place_field:
        return Placing(connection, kind, dict(drafts))
    by_record: dict[str, list[int]] = defaultdict(list)
    for position, draft in drafts.items():
        by_record[draft.external_id].append(position)
    names = {external_id: getattr(drafts[positions[-1]], place_field) for external_id, positions in by_record.items()}
    own = _own(connection, place_field, {getattr(draft, place_field) for draft in drafts.values()})
    foreign = {
        external_id: Named(spelled(name)[:LONGEST_NAMED], source_of(drafts[by_record[external_id][-1]]))
        for external_id, name in names.items()
        if name not in own and (name or kind != Kind.INCIDENT)  # an incident may belong to its service alone
    }
    undrafted = {row.external_id: Named(row.named, row.source) for row in waiting if row.external_id not in names}
    found = find_places(connection, kind, {*foreign.values(), *undrafted.values()})
    placing = Placing(
        connection, kind, {}, dict(own), returning={id_: own[name] for id_, name in names.items() if name in own}
    )
    for external_id, named in (foreign | undrafted).items():
        placing.decide(external_id, named, found[named])
    for external_id, positions in by_record.items():
        name = names[external_id]
        if external_id in foreign:
            name = _key(placing.returning.get(external_id))
        of_record = [
            draft if getattr(draft, place_field) in own else _renamed(draft, place_field, name)
            for draft in (drafts[position] for position in positions)
        ]
        if external_id in placing.unplaced:
            named = foreign[external_id]
            waits = [_renamed(draft, place_field, named.repository) for draft in of_record]
            waits = waits[-1:] if kind == Kind.INCIDENT else waits  # an incident is stored in any case
            placing.unplaced[external_id] = replace(placing.unplaced[external_id], drafts=waits)
        if external_id not in placing.unplaced or kind == Kind.INCIDENT:
            placing.drafts |= zip(positions, of_record, strict=True)
    for row in placing.ruled.values():
        if kind == Kind.COMMIT:
            row.drafts = [dump_draft(drafts[position]) for position in by_record[row.external_id]]
    return placing


def find_places(connection: Connection, kind: Kind, names: Collection[Named]) -> Mapping[Named, Place]:
    """The place that each name means; an unknown pushed name becomes a repository, in the caller's transaction."""
    place_field = _place_field(kind)
    own = _own(connection, place_field, {named.repository for named in names})
    known = {named: Place(own[named.repository]) for named in names if named.repository in own}
    return {**known, **_resolve(connection, place_field, set(names) - known.keys())}


def source_of(draft: Draft) -> str:
    """The record's pipeline or service, by which a rule may place it if it names no repository."""
    source: Any = ""
    if isinstance(draft, PipelineRunDraft):
        source = draft.name
    elif isinstance(draft, (DeploymentDraft, IncidentDraft)):
        source = draft.service
    return source[:LONGEST_SOURCE] if isinstance(source, str) else ""


def name_services(placing: Placing) -> None:
    """Replace the service in each placed draft by the name under which that service is stored."""
    named = {position: name for position, draft in placing.drafts.items() if (name := _service(draft))}
    services = resolve_services(placing.connection, set(named.values()))
    for position, name in named.items():
        draft = placing.drafts[position]
        placing.decided.add((draft.external_id, Subject.SERVICE))
        if services[name].by_rule:
            placing.note_rule(draft.external_id, Subject.SERVICE, Named(services[name].named), services[name].name)
        placing.drafts[position] = _renamed(draft, "service", services[name].name)


def note_ruled(placing: Placing) -> None:
    """Store which records rules decided, so that they can be placed again when rules change; delete decisions that no
    longer hold.
    """
    if not placing.decided:
        return
    external_ids = {external_id for external_id, _ in placing.decided}
    known = RuledRecord.objects.filter(connection=placing.connection, kind=placing.kind, external_id__in=external_ids)
    stale = {(row.external_id, row.subject): row.pk for row in known}
    RuledRecord.objects.filter(
        pk__in=[pk for key, pk in stale.items() if key in placing.decided and key not in placing.ruled]
    ).delete()
    RuledRecord.objects.bulk_create(
        placing.ruled.values(),
        update_conflicts=True,
        unique_fields=["connection", "kind", "external_id", "subject"],
        update_fields=["named", "source", "target", "drafts"],
    )


def _renamed(draft: Draft, place_field: str, name: str) -> Draft:
    changed: dict[str, Any] = {place_field: name}
    return replace(draft, **changed)


def _place_field(kind: Kind) -> str:
    """The field of drafts that names their repository or project; empty if they have none."""
    return "repository" if kind == Kind.COMMIT else TABLES[kind].place if kind in TABLES else ""


def _own(connection: Connection, place_field: str, names: Collection[str]) -> Mapping[str, int]:
    """The places that the connection knows by its own ids, except pushed names that now belong to another
    repository.
    """
    if place_field == "project":
        return projects_of(connection, set(names) - {""})
    own = repositories_of(connection, set(names) - {""})
    if connection.provider != PUSH or not own:
        return own
    stored = Repository.objects.select_related("joined_into").in_bulk(set(own.values()))
    return {name: id_ for name, id_ in own.items() if not _is_another_by_now(name, stored[id_])}


def _is_another_by_now(name: str, repository: Repository) -> bool:
    """Whether the repository was renamed, and another one now has its former name."""
    called = spelled(name)
    if folded(called) in (folded(repository.name), folded(repository.remote)):
        return False
    now = Repository.objects.with_remote(called) or Repository.objects.filter(name__iexact=called).first()
    return now is not None and now.counted_as != repository.counted_as


def _resolve(connection: Connection, place_field: str, names: Collection[Named]) -> Mapping[Named, Place]:
    if place_field == "project":
        return dict.fromkeys(names, NOWHERE)
    found = dict(resolve_repositories(connection, names))
    if connection.provider != PUSH:
        return found
    for named, resolved in sorted(found.items(), key=itemgetter(0)):
        if resolved.id is not None and not resolved.by_rule and named.repository:
            Resource.objects.get_or_create(
                connection=connection,
                kind=ResourceKind.REPOSITORY,
                external_id=named.repository[:LONGEST_ID],
                defaults={"name": named.repository, "repository_id": resolved.id},
            )
        elif resolved.reason == UnplacedReason.UNKNOWN:
            pushed = ResourceDraft(
                ResourceKind.REPOSITORY,
                named.repository[:LONGEST_ID],
                named.repository,
                remote=address_in(named.repository),
            )
            found[named] = Place(store_resource(connection, pushed).repository_id)
    return found


def _key(repository: int | None) -> str:
    """The key in `Placing.places` of a repository that was found by a name other than the provider's id."""
    return "" if repository is None else f"#{repository}"


def _service(draft: Draft) -> str:
    """The draft's service; empty if the draft provides none."""
    service = draft.service if isinstance(draft, (DeploymentDraft, IncidentDraft)) else ""
    return service if isinstance(service, str) else ""
