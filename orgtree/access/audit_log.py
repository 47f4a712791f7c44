"""The audit log: changes of the rules, granted roles, and what admins changed in admin, for auditors and admins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.db import models

from orgtree.access.policy import policy_history
from orgtree.access.who_sees import GONE, names_of
from orgtree.models import Grant, Role
from orgtree.models.visibility import account_today

ACTS = {ADDITION: "Added", CHANGE: "Changed", DELETION: "Deleted"}


class AuditKind(models.TextChoices):
    """The origin of an entry."""

    RULES = "rules", "Rules"
    ROLES = "roles", "Roles"
    ADMIN = "admin", "Changes in admin"


@dataclass(frozen=True)
class AuditEntry:
    """An entry of the audit log; `by` is empty if Headway acted."""

    at: datetime
    kind: AuditKind
    by: str
    text: str


def may_read_audit_log(account: User) -> bool:
    return account.is_superuser or Role.AUDITOR in account_today(account)[1].roles


def audit_log(kind: AuditKind | None, *, start: int, size: int) -> tuple[Sequence[AuditEntry], int]:
    """Entries from `start` on, the newest first, and their total number."""
    reads: dict[AuditKind, Callable[[int], tuple[list[AuditEntry], int]]] = {
        AuditKind.RULES: _rules,
        AuditKind.ROLES: _roles,
        AuditKind.ADMIN: _in_admin,
    }
    read = [reads[one](start + size) for one in ([kind] if kind else reads)]
    newest = sorted((entry for entries, _ in read for entry in entries), key=lambda entry: entry.at, reverse=True)
    return list(islice(newest, start, start + size)), sum(number for _, number in read)


def _rules(most: int) -> tuple[list[AuditEntry], int]:
    changes = policy_history()
    entries = [
        AuditEntry(change.at, AuditKind.RULES, change.by, "; ".join(map(str, change.changes)))
        for change in changes[:most]
    ]
    return entries, len(changes)


def _roles(most: int) -> tuple[list[AuditEntry], int]:
    grants = list(Grant.objects.select_related("user", "granted_by", "unit").order_by("-granted_at", "-pk")[:most])
    names = names_of([account for grant in grants for account in (grant.user, grant.granted_by) if account])
    return [_of_grant(grant, names) for grant in grants], Grant.objects.count()


def _of_grant(grant: Grant, names: Mapping[int, str]) -> AuditEntry:
    where = f" of {grant.unit.name}" if grant.unit else ""
    until = f" until {grant.during.upper:%Y-%m-%d} (excluded)" if grant.during.upper else ""
    why = f": {grant.reason}" if grant.reason else ""
    since = f" from {grant.during.lower:%Y-%m-%d}" if grant.during.lower else ""
    text = f"{names[grant.user_id]} is {grant.get_role_display().lower()}{where}{since}{until}{why}"
    by = names[grant.granted_by_id] if grant.granted_by_id else ""
    return AuditEntry(grant.granted_at, AuditKind.ROLES, by, text)


def _in_admin(most: int) -> tuple[list[AuditEntry], int]:
    records = list(LogEntry.objects.select_related("content_type").order_by("-action_time", "-pk")[:most])
    names = names_of(list(User.objects.filter(pk__in={record.user_id for record in records})))
    entries = [
        AuditEntry(record.action_time, AuditKind.ADMIN, names.get(record.user_id, GONE), _of_record(record))
        for record in records
    ]
    return entries, LogEntry.objects.count()


def _of_record(record: LogEntry) -> str:
    """The action and its object; for a change also the fields, but never their values."""
    of = record.content_type
    model = of.model_class() if of else None
    noun = str(model._meta.verbose_name) if model else (of.model if of else "record")
    fields = record.get_change_message() if record.is_change() else ""
    return f"{ACTS.get(record.action_flag, 'Changed')} {noun} “{record.object_repr}”{f': {fields}' if fields else ''}"
