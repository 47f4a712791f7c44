"""Records of joined repositories: stored in the counted repository, with a note (OwnRecord) of their original one."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Q

from integrations.enums import Kind
from integrations.intake.tables import TABLES
from integrations.models import OwnRecord, Repository, Resource


def counted_places(own: Mapping[str, int]) -> dict[str, int]:
    """External id → the repository that its records count for, which for a joined repository is the one it was joined
    with.
    """
    joined = Repository.objects.filter(pk__in=set(own.values())).exclude(joined_into=None)
    counted = {one.pk: one.counted_as.pk for one in joined.select_related("joined_into")} if own else {}
    return {name: counted.get(repository, repository) for name, repository in own.items()}


def note_own_records(kind: Kind, own: Mapping[int, int]) -> None:
    """Store the original repository of each of these records (record → repository), if that one is joined."""
    if not own or not Repository.objects.exclude(joined_into=None).exists():
        return
    joined = set(
        Repository.objects.filter(pk__in=set(own.values())).exclude(joined_into=None).values_list("pk", flat=True)
    )
    table = TABLES[kind].name
    OwnRecord.objects.filter(table=table, record_id__in=list(own)).exclude(repository__in=joined).delete()
    OwnRecord.objects.bulk_create(
        [
            OwnRecord(repository_id=repository, table=table, record_id=record)
            for record, repository in sorted(own.items())
            if repository in joined
        ],
        update_conflicts=True,
        unique_fields=["table", "record_id"],
        update_fields=["repository"],
    )


def own_records_of(resource: Resource, kind: Kind) -> Q:
    """The condition that records of the kind belong to the resource's own repository, joined or not."""
    repository = resource.repository
    if repository is None:
        return Q(pk=None)
    of_joined = OwnRecord.objects.filter(table=TABLES[kind].name)
    if repository.joined_into_id is not None:
        return Q(
            repository=repository.joined_into_id, pk__in=of_joined.filter(repository=repository).values("record_id")
        )
    if not repository.joined.exists():
        return Q(repository=repository)
    return Q(repository=repository) & ~Q(
        pk__in=of_joined.filter(repository__joined_into=repository).values("record_id")
    )
