"""Template choices on the form of a new ticket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import QueryDict
from django.urls import reverse

from insights.catalogue.registry import metrics
from insights.query import windows
from programs.models import TicketTemplate

KEPT_PARAMETERS = ("unit", "objective", "metric")


@dataclass(frozen=True)
class TemplateOffer:
    title: str
    nature: str
    kind: str
    url: str
    fits: bool  # it is to move the metric from which one came
    is_chosen: bool


def template_offers(params: QueryDict) -> Sequence[TemplateOffer]:
    """Those that are offered; first those that are to move the metric from which one came."""
    metric, chosen = params.get("metric", ""), params.get("template", "")
    kept_params = QueryDict(mutable=True)
    kept_params.update({name: value for name in KEPT_PARAMETERS if (value := params.get(name, ""))})
    offers = []
    for template in TicketTemplate.objects.filter(is_offered=True):
        kept_params["template"] = template.slug
        url = f"{reverse('ticket_new')}?{kept_params.urlencode()}"
        fits = bool(metric) and template.metric == metric
        offers.append(
            TemplateOffer(
                template.title,
                template.get_nature_display(),
                template.get_kind_display(),
                url,
                fits,
                template.slug == chosen,
            )
        )
    return sorted(offers, key=lambda offer: not offer.fits)


def prefilled_from(params: QueryDict) -> dict[str, Any]:
    """What the chosen template fills in; nothing without one, or where there is none of that name."""
    slug = params.get("template", "").replace("\x00", "")
    template = TicketTemplate.objects.filter(slug=slug, is_offered=True).first() if slug else None
    if template is None:
        return {}
    known = template.metric in {metric.key for metric in metrics()}
    return {
        "title": template.title,
        "nature": template.nature,
        "kind": template.kind,
        "resolution": template.resolution,
        "due_on": windows.local_today() + timedelta(days=template.days),
        "metric": template.metric if known else params.get("metric", ""),
    }
