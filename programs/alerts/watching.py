"""Watches the metrics of alert rules: a rule fires once when its value crosses the limit."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from insights.catalogue.registry import find
from insights.privacy.visible import visible_totals
from insights.query import windows
from insights.query.query import Query, Scope, Window
from insights.ui import tiles
from orgtree.access.access import Access, access_of
from programs.alerts.queries import rules_of
from programs.models import AlertRule, MessageKind
from programs.reminders.services.planning import PLANNING, store_notices

logger = logging.getLogger(__name__)
NOTICE_COLUMNS = "account_id, kind, rule_id, number"


def watch_metrics() -> int:
    """Checks every rule against the value that its account may see; returns the number of rules that fired.

    A hidden or missing value changes nothing.  If the rules of one account fail, the others are still checked.
    """
    fired = 0
    accounts = User.objects.filter(is_active=True, alert_rules__isnull=False).distinct().order_by("pk")
    for account in accounts:
        access = access_of(account)
        rules = [*rules_of(access)]
        try:
            fired += _settle(zip(rules, values_of(rules, access), strict=True))
        except Exception:  # the next run checks them again
            logger.exception("Alert rules of account %s failed", account.pk)
    return fired


def values_of(rules: Sequence[AlertRule], access: Access) -> list[float | None]:
    """The value of each rule's metric today; None if it is hidden or missing."""
    today = windows.local_today()
    known = [rule for rule in rules if find(rule.metric)]
    queries = [
        Query(
            rule.metric,
            Window(today - timedelta(days=rule.days), today),
            scope=Scope(unit=rule.unit.slug) if rule.unit else Scope(),
        )
        for rule in known
    ]
    figures = [tiles.whole(answer) for answer in visible_totals(queries, access)] if queries else []
    values = {rule.pk: None if figure.withheld else figure.value for rule, figure in zip(known, figures, strict=True)}
    return [values.get(rule.pk) for rule in rules]


def _settle(found: Iterable[tuple[AlertRule, float | None]]) -> int:
    now, fired = timezone.now(), 0
    for rule, value in found:
        with transaction.atomic():
            PLANNING.hold()
            stored = AlertRule.objects.select_for_update().filter(pk=rule.pk, version=rule.version).first()
            if stored is None:
                continue  # changed or removed meanwhile: the next run checks it
            stored.checked_at = now
            if value is not None and stored.firing_since is None and stored.is_beyond(value):
                stored.firing_since, stored.value, stored.fired = now, value, stored.fired + 1
                fired += 1
                store_notices(
                    (
                        "SELECT account_id, %(kind)s AS kind, id AS rule_id, %(number)s AS number "
                        "FROM programs_alertrule WHERE id = %(rule)s",
                        {"kind": MessageKind.ALERT.value, "rule": stored.pk, "number": stored.fired},
                    ),
                    now=now,
                    columns=NOTICE_COLUMNS,
                )
            elif value is not None and stored.firing_since is not None and stored.has_come_back(value):
                stored.firing_since = None
            stored.save(update_fields=["checked_at", "firing_since", "value", "fired"])
    return fired
