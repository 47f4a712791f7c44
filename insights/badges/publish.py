"""Publishing and revoking badges.

A badge is readable without signing in.  So only admins, and managers for their units, may publish one, and it shows
no more than an API token without an account may read: aggregates of at least the minimum group size.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.text import get_text_list

from core.write_errors import MayNotWriteError
from insights.catalogue.registry import get
from insights.models import Badge
from insights.privacy.scope_access import check_scope
from insights.query import windows
from insights.query.errors import QueryError, UnknownUnitError
from insights.query.query import Scope, Statistic
from orgtree.access.access import Access
from orgtree.models import Unit

LONGEST_LABEL = 60


def may_publish(access: Access, unit: Unit | None) -> bool:
    """Whether the viewer may publish figures of the unit; None: of the whole organisation."""
    if getattr(access.viewer, "is_superuser", False):
        return True
    return unit is not None and unit.pk in access.visibility.managed_ids


def publish_badge(
    access: Access, *, metric: str, unit: str = "", weeks: int, statistic: str = "", label: str = ""
) -> Badge:
    """Publish a new badge.

    Raises UnknownMetricError, UnknownUnitError, QueryError for an invalid parameter, and MayNotWriteError.
    """
    declared = get(metric)
    check_scope(Scope.of_unit(unit), access)
    published_unit = Unit.objects.filter(slug=unit).first() if unit else None
    if unit and published_unit is None:
        raise UnknownUnitError(unit)
    if weeks not in windows.TRAILING_WEEKS:
        raise QueryError("weeks", f"Badges cover the last {get_text_list([*map(str, windows.TRAILING_WEEKS)])} weeks.")
    if statistic and statistic not in declared.statistics:
        raise QueryError("statistic", f"{metric} has no {statistic}.")
    if declared.always_by:
        raise QueryError("metric", f"{metric} is a table of shares, which no badge holds. Choose another metric.")
    if len(label) > LONGEST_LABEL or not label.isprintable():
        raise QueryError("label", f"A label has at most {LONGEST_LABEL} printable characters.")
    if not may_publish(access, published_unit):
        raise MayNotWriteError("Only an admin or the unit's manager can publish this.")
    return Badge.objects.create(
        metric=metric,
        unit=published_unit,
        weeks=weeks,
        statistic=Statistic(statistic) if statistic else "",
        label=label,
        made_by=access.viewer if isinstance(access.viewer, User) else None,
    )


def revoke_badge(access: Access, badge: Badge) -> None:
    """Revoke the badge, after which its address returns 404.  Raises MayNotWriteError for viewers who may not publish
    it.
    """
    if not may_publish(access, badge.unit):
        raise MayNotWriteError("Only an admin or the manager of the unit can revoke this badge.")
    Badge.objects.standing().filter(pk=badge.pk).update(revoked_at=timezone.now())
