"""Store an uploaded file as rows of ImportedUsage."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from integrations.models import ImportedUsage
from integrations.telemetry.usage_files.ccusage import Problem, Report, UsageRow, read_report
from integrations.telemetry.usage_files.counted import recompute_usage
from orgtree.identities.resolving import IdentityName, identify
from orgtree.models import IdentityKind

LARGEST_FILE = 50 * 1024 * 1024
_FIGURES = (
    *(
        "day",
        "first_day",
        "started_at",
        "ended_at",
        "input_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "output_tokens",
    ),
    "reported_cost",
)
_LAST_DIGIT = Decimal("1e-10")


@dataclass
class Imported:
    """The result of importing a file."""

    applied: bool = False
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    counted: int = 0  # rows that count; the others are covered by telemetry
    errors: list[Problem] = field(default_factory=list)


def import_ccusage(content: bytes, *, email: str, agent: str = "", dry_run: bool = False) -> Imported:
    """Import a person's usage from ccusage; with errors nothing is stored.

    Idempotent; a later export of the same day or session replaces it.
    """
    report = _read(content, agent)
    try:
        validate_email(email)
    except ValidationError:
        report.problems.insert(0, Problem("person", f"“{email}” is not an e-mail address."))
    if report.problems:
        return Imported(errors=report.problems)
    with transaction.atomic():
        identity = identify([[IdentityName(IdentityKind.EMAIL, "", email)]])[0]
        result = _store(identity, report.rows)
        recompute_usage()
        result.counted = ImportedUsage.objects.filter(
            identity_id=identity, session__isnull=False, key__in={row.key for row in report.rows}
        ).count()
        if dry_run:
            transaction.set_rollback(True)
        result.applied = not dry_run
        return result


def _read(content: bytes, agent: str) -> Report:
    if len(content) > LARGEST_FILE:
        return Report(problems=[Problem("", f"The file is larger than {LARGEST_FILE // 1024**2} MB.")])
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as problem:
        return Report(problems=[Problem("", f"The file is not JSON: {problem}")])
    return read_report(document, zone=ZoneInfo(settings.TIME_ZONE), agent=agent.strip().lower()[:40])


def _store(identity: int, rows: Sequence[UsageRow]) -> Imported:
    stored = {
        (usage.agent, usage.form, usage.key, usage.model): usage
        for usage in ImportedUsage.objects.select_for_update().filter(
            identity_id=identity, key__in={row.key for row in rows}
        )
    }
    result, fresh, changed = Imported(), [], []
    for row in rows:
        figures = {name: getattr(row, name) for name in _FIGURES}
        if row.reported_cost is not None:
            figures["reported_cost"] = Decimal(repr(row.reported_cost)).quantize(_LAST_DIGIT)
        known = stored.get((row.agent, row.form, row.key, row.model))
        if known is None:
            fresh.append(
                ImportedUsage(
                    identity_id=identity, agent=row.agent, form=row.form, key=row.key, model=row.model, **figures
                )
            )
        elif any(getattr(known, name) != value for name, value in figures.items()):
            for name, value in figures.items():
                setattr(known, name, value)
            known.to_settle = True
            changed.append(known)
        else:
            result.unchanged += 1
    ImportedUsage.objects.bulk_create(fresh, batch_size=5000)
    ImportedUsage.objects.bulk_update(changed, [*_FIGURES, "to_settle"], batch_size=1000)
    result.added, result.changed = len(fresh), len(changed)
    return result
