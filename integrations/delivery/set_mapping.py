"""Sets a value mapping: stored, and applied to stored records without another sync."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum

from django.db import transaction
from django.db.models import Q

from integrations.delivery.changed_days import append_record_days, days_of
from integrations.delivery.deployments_of_runs import recompute_deployments_beside, recompute_deployments_named
from integrations.delivery.derive import recompute_pull_requests_naming
from integrations.delivery.linking.corrections import grounds_of, relink_corrected
from integrations.delivery.linking.relink import relink
from integrations.delivery.mappings.effective import Subject, ValueMappings, value_mappings_of
from integrations.delivery.mappings.mapped_columns import (
    ENVIRONMENT,
    SEVERITY,
    TRANSITION,
    recompute_mapped_column,
    recompute_mapped_value,
)
from integrations.delivery.pull_requests.figures import recompute_figures
from integrations.delivery.pull_requests.ready_and_work_type import recompute_ready_and_work_type
from integrations.delivery.rollouts.recompute import recompute_outcomes
from integrations.delivery.work_items.figures import recompute_item_figures
from integrations.delivery.work_items.work_type_and_status import recompute_work_type_and_status
from integrations.enums import Ending, Environment, FoundBy, Kind, Severity, StatusActivity, StatusCategory, WorkType
from integrations.models import Connection, Deployment, PullRequest, ValueMapping, WorkItem, WorkItemTransition
from integrations.outbox.write_lock import lock_for_write

# The possible mappings of each subject; an empty one means that a value may be left without meaning.
CHOICES: Mapping[Subject, tuple[StrEnum | str, ...]] = {
    Subject.ENVIRONMENT: tuple(Environment),
    Subject.DEPLOYING: ("", *Environment),
    Subject.LABEL: ("", *WorkType),
    Subject.ITEM_TYPE: ("", *WorkType),
    Subject.STATUS: tuple(StatusCategory),
    Subject.SEVERITY: tuple(Severity),
    Subject.ACTIVITY: tuple(StatusActivity),
    Subject.FOUND_BY: ("", *FoundBy),
    Subject.ENDING: tuple(Ending),
}
_KINDS: Mapping[Subject, frozenset[Kind]] = {
    Subject.ENVIRONMENT: frozenset({Kind.DEPLOYMENT}),
    Subject.DEPLOYING: frozenset({Kind.PIPELINE_RUN, Kind.DEPLOYMENT}),
    Subject.LABEL: frozenset({Kind.PULL_REQUEST, Kind.WORK_ITEM}),
    Subject.ITEM_TYPE: frozenset({Kind.PULL_REQUEST, Kind.WORK_ITEM}),
    Subject.STATUS: frozenset({Kind.WORK_ITEM}),
    Subject.SEVERITY: frozenset({Kind.INCIDENT}),
    Subject.ACTIVITY: frozenset({Kind.WORK_ITEM}),
    Subject.FOUND_BY: frozenset({Kind.WORK_ITEM}),
    Subject.ENDING: frozenset({Kind.WORK_ITEM}),
}


class UnknownMappingError(ValueError):
    """The value cannot be mapped to that; the message lists the possible mappings."""


@transaction.atomic
def set_value_mapping(connection: Connection, subject: Subject, word: str, means: str | None) -> int:
    """Map the value at the connection, or remove its custom mapping (None); return how many records changed.

    Raises UnknownMeaningError.
    """
    if means is not None and means not in CHOICES[subject]:
        allowed = ", ".join(choice or "nothing" for choice in CHOICES[subject])
        raise UnknownMappingError(f"{means!r} is no meaning of {subject.label.lower()}. Choose one of: {allowed}.")
    lock_for_write(connection, _KINDS[subject])
    if means is None:
        ValueMapping.objects.filter(connection=connection, subject=subject, word=word).delete()
    else:
        ValueMapping.objects.update_or_create(
            connection=connection, subject=subject, word=word, defaults={"means": str(means)}
        )
    return _apply(connection, subject, word, value_mappings_of(connection))


def _apply(connection: Connection, subject: Subject, word: str, meanings: ValueMappings) -> int:
    if subject == Subject.DEPLOYING:
        return recompute_deployments_named(connection, meanings, word)
    if subject == Subject.ENVIRONMENT:
        named = _deployments_to(connection, word)
        grounds_before = grounds_of(Kind.DEPLOYMENT, named)
        before = days_of(Kind.DEPLOYMENT, named)
        deployments = recompute_mapped_column(ENVIRONMENT, meanings, named)
        with_outcome, made_active = recompute_outcomes(named)
        deployments |= with_outcome | made_active
        recompute_deployments_beside(deployments)
        relink(Kind.DEPLOYMENT, named | deployments)
        relink_corrected(Kind.DEPLOYMENT, named, grounds_before)
        append_record_days(Kind.DEPLOYMENT, deployments, before)
        return len(deployments)
    if subject == Subject.SEVERITY:
        incidents = recompute_mapped_value(SEVERITY, meanings, connection.pk, word)
        append_record_days(Kind.INCIDENT, incidents)
        return len(incidents)
    return _apply_to_items(connection, subject, word, meanings)


def _deployments_to(connection: Connection, word: str) -> set[int]:
    """Deployments whose environment has this name, or that were promoted through one."""
    of_connection = Deployment.objects.filter(connection=connection, pipeline_run=None)
    named = of_connection.filter(Q(native_environment=word) | Q(statuses__environment=word))
    return set(named.values_list("pk", flat=True))


def _apply_to_items(connection: Connection, subject: Subject, word: str, meanings: ValueMappings) -> int:
    items = WorkItem.objects.filter(connection=connection)
    if subject == Subject.ACTIVITY:
        return _recompute_items(meanings, _items_in_status(connection, word))
    if subject == Subject.ENDING:
        resolved_so = items.filter(resolution=word).values_list("pk", flat=True)
        return _recompute_items(meanings, _items_in_status(connection, word).union(resolved_so))
    if subject == Subject.FOUND_BY:
        carries_word = (
            Q(labels__contains=[word]) | Q(native_type=word) | Q(project__name=word) | Q(reporter__value=word)
        )
        return _recompute_items(meanings, items.filter(carries_word).values_list("pk", flat=True))
    if subject == Subject.STATUS:
        moved = WorkItemTransition.objects.filter(work_item__connection=connection)
        changed = recompute_mapped_value(TRANSITION, meanings, connection.pk, word)
        concerned = {
            *items.filter(native_status=word).values_list("pk", flat=True),
            *moved.filter(from_status=word).values_list("work_item", flat=True),
        }
        changed |= recompute_work_type_and_status(meanings, concerned)
        relink(Kind.WORK_ITEM, changed)
        return _recompute_items(meanings, _items_in_status(connection, word), also=changed)
    if subject == Subject.ITEM_TYPE:
        typed = items.filter(native_type=word).values_list("pk", flat=True)
        return apply_work_types(recompute_work_type_and_status(meanings, typed))
    labelled = items.filter(labels__contains=[word]).values_list("pk", flat=True)
    changed_items = apply_work_types(recompute_work_type_and_status(meanings, labelled))
    of_connection = PullRequest.objects.filter(connection=connection, labels__contains=[word])
    pull_requests = recompute_ready_and_work_type(of_connection.values_list("pk", flat=True))
    recompute_figures(pull_requests)
    append_record_days(Kind.PULL_REQUEST, pull_requests)
    return changed_items + len(pull_requests)


def _items_in_status(connection: Connection, word: str) -> set[int]:
    """The items that are in this status, or ever entered or left it."""
    moves = WorkItemTransition.objects.filter(work_item__connection=connection)
    return {
        *WorkItem.objects.filter(connection=connection, native_status=word).values_list("pk", flat=True),
        *moves.filter(Q(from_status=word) | Q(to_status=word)).values_list("work_item", flat=True),
    }


def _recompute_items(meanings: ValueMappings, concerned: Iterable[int], *, also: Collection[int] = ()) -> int:
    """Recompute the items' figures; return how many items changed, including `also`."""
    return len(recompute_item_figures(meanings, {*concerned, *also}).union(also))


def apply_work_types(changed: Collection[int]) -> int:
    """Recompute the pull requests of items whose work type changed; return how many records changed."""
    return len(changed) + recompute_pull_requests_naming(changed)
