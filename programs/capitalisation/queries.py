"""Evidence and periods that a viewer may see, as pages and API list them."""

from __future__ import annotations

import django_filters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from core.columns import columns_of
from core.list_filters import ViewerFilters
from orgtree.access.access import Access
from programs.models import CapitalisationPeriod, InitiativeEvidence, PeriodState
from programs.models.capitalisation import KINDS

FINANCE_ONLY = "Capitalisation is for finance, executives and admins."
EVIDENCE = (
    *("authorised_on", "authorised_by", "funded_on", "probable_since", "probable_by", "probable_because"),
    *("uncertainty", "uncertainty_resolved_on", "ready_on"),
)
COLUMNS = columns_of(InitiativeEvidence, "kind", "name", *EVIDENCE)


def check_reader(access: Access) -> None:
    """Rejects viewers who may not read capitalisation reports.  Raises PermissionDenied."""
    if not access.visibility.reads_capitalisation:
        raise PermissionDenied(FINANCE_ONLY)


class EvidenceFilters(ViewerFilters):
    """Initiatives by kind and name."""

    kind = django_filters.ChoiceFilter(choices=KINDS, label="Kind", empty_label="All")
    q = django_filters.CharFilter(field_name="name", lookup_expr="icontains", help_text="Words of the name.")

    def visible(self, access: Access) -> QuerySet[InitiativeEvidence]:
        return InitiativeEvidence.objects.within(access.visibility)


class PeriodFilters(ViewerFilters):
    """Periods by state, latest first."""

    state = django_filters.ChoiceFilter(choices=PeriodState.choices, label="State", empty_label="All")

    def visible(self, access: Access) -> QuerySet[CapitalisationPeriod]:
        seen = CapitalisationPeriod.objects.within(access.visibility)
        return seen.select_related("document", "approved_by", "document__frozen_by")


def visible_evidence(pk: int, access: Access) -> InitiativeEvidence:
    """Evidence on an initiative.  Raises Http404 if it is unknown or hidden."""
    return get_object_or_404(InitiativeEvidence.objects.within(access.visibility), pk=pk)


def visible_period(pk: int, access: Access) -> CapitalisationPeriod:
    """A period with its document.  Raises Http404 if it is unknown or hidden."""
    seen = CapitalisationPeriod.objects.within(access.visibility).select_related("document", "approved_by")
    return get_object_or_404(seen, pk=pk)
