"""Derives changes of sprints and estimates for trackers without a history, by comparing an item with what is stored.

Only stored items have a plan: the stream of their repository provides them, and their plan is compared again later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.db.models import Max

from integrations.connectors.drafts import (
    MISSING,
    AnyDraft,
    ProvidedParts,
    SeenPlan,
    SprintChangeDraft,
    ValueChangeDraft,
    WorkItemDraft,
)
from integrations.enums import ItemField
from integrations.models import Connection, Sprint, SprintChange, WorkItem, WorkItemChange

_History = Sequence[tuple[datetime, str, bool]]  # time, sprint, whether it was added


def with_changes(connection: Connection, drafts: Sequence[AnyDraft]) -> list[AnyDraft]:
    """The drafts with changes of sprints and estimates in place of seen plans; plans without news are left out."""
    seen = [draft for draft in drafts if isinstance(draft, WorkItemDraft) and draft.seen is not None]
    if not seen:
        return list(drafts)
    items = {item.external_id: item for item in _items(connection, seen)}
    histories = _histories(connection, items.values(), {draft.seen.board for draft in seen if draft.seen})
    estimated = _estimated(items.values())
    changed: list[AnyDraft] = []
    for draft in drafts:
        if not isinstance(draft, WorkItemDraft) or draft.seen is None:
            changed.append(draft)
        elif (item := items.get(draft.external_id)) is not None:
            history = histories.get((item.pk, draft.seen.board), ())
            new = _with_estimate(_with_moves(draft, draft.seen, history), draft.seen, item, estimated.get(item.pk))
            if new.sprint_changes is not MISSING or new.estimate is not MISSING:
                changed.append(replace(new, seen=None))
    return changed


def _items(connection: Connection, drafts: Iterable[WorkItemDraft]) -> Iterable[WorkItem]:
    external_ids = {draft.external_id for draft in drafts}
    return WorkItem.objects.filter(connection=connection, external_id__in=external_ids, deleted_at=None)


def _histories(
    connection: Connection, items: Iterable[WorkItem], boards: Collection[str]
) -> Mapping[tuple[int, str], _History]:
    """The stored sprint history of each work item, by item and board, in order."""
    of_boards = Sprint.objects.filter(connection=connection, board__in=boards).values_list("external_id", "board")
    board_of = dict(of_boards)
    found: dict[tuple[int, str], list[tuple[datetime, str, bool]]] = defaultdict(list)
    changes = SprintChange.objects.filter(work_item__in=[item.pk for item in items], sprint__in=board_of)
    for item, at, sprint, added in changes.order_by("at", "pk").values_list("work_item", "at", "sprint", "added"):
        found[item, board_of[sprint]].append((at, sprint, added))
    return found


def _estimated(items: Iterable[WorkItem]) -> Mapping[int, datetime]:
    """The time of each item's last stored change of its estimate."""
    changes = WorkItemChange.objects.filter(work_item__in=[item.pk for item in items], field=ItemField.ESTIMATE)
    return dict(changes.values("work_item").annotate(last=Max("at")).values_list("work_item", "last"))


def _with_moves(draft: WorkItemDraft, plan: SeenPlan, history: _History) -> WorkItemDraft:
    """The draft with the moves that lead from the stored history to the plan; no moves if the plan is older."""
    if plan.sprint is None or (history and plan.sprint_at < history[-1][0]):
        return draft
    last = {sprint: added for _, sprint, added in history}
    inside = {sprint for sprint, added in last.items() if added}
    now = {plan.sprint} - {""}
    moves = [(sprint, False) for sprint in sorted(inside - now)] + [(sprint, True) for sprint in now - inside]
    if not moves:
        return draft
    parts = [
        SprintChangeDraft(at=plan.sprint_at, sprint=sprint, added=added, by=plan.sprint_by) for sprint, added in moves
    ]
    return replace(draft, sprint_changes=ProvidedParts(parts, whole=False))


def _with_estimate(draft: WorkItemDraft, plan: SeenPlan, item: WorkItem, changed_at: datetime | None) -> WorkItemDraft:
    """The draft with the change of the estimate; without an estimate if it is unchanged or older than the stored
    one.
    """
    if draft.estimate is MISSING:
        return draft
    if item.field_versions.get("estimate", "now") is None:
        return draft  # seen for the first time: what it was before is unknown
    if draft.estimate == item.estimate or (changed_at is not None and plan.estimate_at <= changed_at):
        return replace(draft, estimate=MISSING)
    change = ValueChangeDraft(
        at=plan.estimate_at,
        field=ItemField.ESTIMATE,
        before=_written(item.estimate),
        after=_written(draft.estimate),
        by=plan.estimate_by,
    )
    return replace(draft, value_changes=ProvidedParts([change], whole=False))


def _written(points: float | None) -> str:
    return "" if points is None else f"{points:g}"
