"""What-if prices: a window's tokens at the prices of other models, and models without a price."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from core.csv_export import Cell, csv_response
from core.page_links import url_with
from core.views import page_view
from insights.catalogue.agents import agent_name
from insights.pages.ai.tabs import AI_PAGE, SPEND_PAGE
from insights.pages.answers import Answers, PageQuery, figures_view
from insights.pages.drawing import rows_of_part
from insights.pages.filter_bar import head_of_window
from insights.query.errors import QueryError
from insights.query.query import Dimension, MetricValue
from insights.ui import wording
from insights.ui.filters import Filters, filters_of
from insights.ui.scope_bar import scope_navigation
from integrations.models import Repricing
from integrations.telemetry.prices.library import listed_models
from integrations.telemetry.prices.lists import PriceCard, Rate
from integrations.telemetry.prices.model_use import ModelUse, WhatIf, models_in_use, unknown_models, what_if

BY_MODEL = ("ai.tokens", "ai.spend", "ai.unpriced_tokens")
QUERIES = (*(PageQuery(key, Dimension.MODEL, whole=True) for key in BY_MODEL), PageQuery("ai.tokens", whole=True))
SUPPORTED_FACETS = (Dimension.AGENT, Dimension.MODEL)
ALL = "all"
LONGEST_NAME = 120
MOST_MODELS = 100


@dataclass(frozen=True)
class PricedModel:
    """A model that was used: its figures for the window, and what its tokens would cost at other prices."""

    tokens: float
    spend: float | None  # None without a price
    unpriced: float
    what_if: WhatIf

    @property
    def use(self) -> ModelUse:
        return self.what_if.use

    @property
    def then(self) -> float | None:
        """The spend with the chosen model; None if its price is unknown."""
        if not self.what_if.model:
            return self.spend
        return None if self.what_if.spend is None else float(self.what_if.spend)

    @property
    def is_comparable(self) -> bool:
        """Whether both spends are known for all tokens."""
        return self.spend is not None and self.then is not None and not self.unpriced


@figures_view
def ai_prices(request: HttpRequest) -> HttpResponseBase:
    filters = filters_of(request, facets=SUPPORTED_FACETS)
    around = scope_navigation(request, filters)
    chosen = _chosen(request)
    answers = AI_PAGE.read(filters, QUERIES)
    unknown = unknown_models({model for model in chosen.values() if model})
    models = _models(answers, chosen, unknown)
    tokens = answers.figure("ai.tokens")
    context = {
        **head_of_window(filters, around, request.path, lambda other: _url(other, chosen), {ALL: chosen.get(ALL, "")}),
        "hidden": filters.parameters(),
        "rows": [_row(model, chosen, filters) for model in models],
        "total": _total(models),
        "for_all": chosen.get(ALL, ""),
        "unknown": sorted(unknown),
        "models": listed_models(),
        "left_out": 0 if tokens.withheld else answers.left_out("ai.tokens", Dimension.MODEL),
        "reason": tokens.reason if tokens.withheld else "",
        "summed": _summed(models),
        "rough": any(not model.what_if.knows_bounds for model in models),
        "unpriced": [
            _unpriced(filters, model, may_add=getattr(request.user, "is_superuser", False))
            for model in models
            if model.unpriced
        ],
        "corrections": _corrections(request),
        "csv_url": _url(filters, chosen, name="ai_prices_csv"),
        "spend_url": SPEND_PAGE.url(filters),
    }
    return render(request, "insights/prices/prices.html", context)


@page_view
def ai_prices_csv(request: HttpRequest) -> HttpResponseBase:
    chosen = _chosen(request)
    unknown = unknown_models({model for model in chosen.values() if model})
    models = _models(AI_PAGE.read(filters_of(request, facets=SUPPORTED_FACETS), QUERIES), chosen, unknown)
    return csv_response("headway-ai-prices", _csv_rows(models))


def _csv_rows(models: Sequence[PricedModel]) -> Iterator[list[Cell]]:
    yield [
        *("Model", "Agents", "Requests", "Tokens", "Tokens without a price", "First day", "Last day"),
        *("Spend (USD)", "Priced as", "Spend then (USD)"),
    ]
    for model in models:
        use = model.use
        yield [
            *(use.model, " ".join(sorted(use.agents)), use.requests, int(model.tokens), int(model.unpriced)),
            *(str(use.first_day or ""), str(use.last_day or "")),
            *(model.spend, model.what_if.model or use.model, model.then),
        ]


def _chosen(request: HttpRequest) -> Mapping[str, str]:
    """Model used → model whose price applies; ALL applies to models without an entry."""
    used, instead = request.GET.getlist("used"), request.GET.getlist("instead")
    if len(used) != len(instead) or len(used) > MOST_MODELS:
        raise QueryError("instead", f"Give one for each `used`, at most {MOST_MODELS}.")
    typed = {model: other.strip() for model, other in zip(used, instead, strict=True)}
    typed[ALL] = (request.GET.get(ALL) or "").strip()
    for name in (*typed, *typed.values()):
        if len(name) > LONGEST_NAME:
            raise QueryError("instead", f"A model name has at most {LONGEST_NAME} printable characters.")
    return {model: other for model, other in typed.items() if other}


def _models(answers: Answers, chosen: Mapping[str, str], unknown: set[str]) -> list[PricedModel]:
    """The models that the viewer may see, the most expensive first."""
    if answers.figure("ai.tokens").withheld:
        return []
    tokens, spend, unpriced = (answers.by_segment(key, Dimension.MODEL) for key in BY_MODEL)
    shown = sorted(model for model, figure in tokens.items() if model and not figure.withheld)
    uses = _used_by(answers.filters, shown) if shown else []
    picked = {use.model: chosen.get(use.model) or chosen.get(ALL, "") for use in uses}
    instead = {model: other for model, other in picked.items() if other not in unknown}
    models = [
        PricedModel(
            _value(tokens, result.use.model) or 0.0,
            _value(spend, result.use.model),
            _value(unpriced, result.use.model) or 0.0,
            result,
        )
        for result in what_if(uses, instead)
    ]
    return sorted(models, key=lambda model: (-(model.spend or 0), -model.tokens, model.use.model))


def _value(figures: Mapping[str, MetricValue], model: str) -> float | None:
    return figures[model].value if model in figures else None


def _used_by(filters: Filters, models: Sequence[str]) -> list[ModelUse]:
    """The use of these models in the filters' scope, window and agents."""
    first, after = filters.window.start, filters.window.end
    agents = filters.facets.get(Dimension.AGENT, ())
    return models_in_use(first, after, filters.people_filter, agents=agents, models=models)


def _row(model: PricedModel, chosen: Mapping[str, str], filters: Filters) -> dict[str, Any]:
    use, card, is_changed = model.use, model.what_if.card, bool(model.what_if.model)
    difference, percent = _difference(model.spend or 0, model.then or 0) if model.is_comparable else ("", "")
    return {
        "model": use.model,
        "tokens": wording.compact(model.tokens),
        "requests": wording.compact(use.requests) if use.requests else "",
        "spend": "" if model.spend is None else wording.exact(model.spend, "currency"),
        "unpriced": wording.compact(model.unpriced) if model.unpriced else "",
        "chosen": chosen.get(use.model, ""),
        "then": wording.exact(model.then, "currency") if is_changed and model.then is not None else "",
        "difference": difference if is_changed else "",
        "percent": percent if is_changed else "",
        "prices": _prices(card) if card else "",
        "rows_url": rows_of_part(filters, "ai.spend", Dimension.MODEL, use.model),
        "tokens_url": rows_of_part(filters, "ai.tokens", Dimension.MODEL, use.model),
    }


def _difference(now: float, then: float) -> tuple[str, str]:
    """The difference in dollars and percent."""
    return _signed(then - now), _percent(then, now)


def _signed(amount: float) -> str:
    return ("+" if amount > 0 else "") + wording.exact(amount, "currency")


def _percent(then: float, now: float) -> str:
    if not now:
        return ""
    change = (then - now) / now * 100
    return f"{'+' if change > 0 else '−' if change < 0 else ''}{abs(change):,.0f}%"


def _total(models: Sequence[PricedModel]) -> dict[str, str]:
    """The totals of models with both spends known."""
    both = [model for model in models if model.is_comparable]
    now, then = sum(model.spend or 0 for model in both), sum(model.then or 0 for model in both)
    has_difference = any(model.what_if.card is not None for model in models)
    difference, percent = _difference(now, then) if has_difference else ("", "")
    return {
        "tokens": wording.compact(sum(model.tokens for model in models)),
        "now": wording.exact(now, "currency"),
        "then": wording.exact(then, "currency") if has_difference else "",
        "difference": difference,
        "percent": percent,
        "left_out": wording.count(len(models) - len(both), "model") if len(both) < len(models) else "",
    }


def _summed(models: Sequence[PricedModel]) -> str:
    summed, tokens = sum(model.use.summed_tokens for model in models), sum(model.tokens for model in models)
    return wording.percent_of(summed, tokens) if summed else ""


def _prices(card: PriceCard) -> str:
    named = (
        ("in", card.input),
        ("cache read", card.cache_read),
        ("cache write", card.cache_write),
        ("out", card.output),
    )
    return ", ".join(f"{name} {_rate(rate)}" for name, rate in named)


def _rate(rate: Rate) -> str:
    above = "".join(f" (above {wording.compact(size)}: ${price.normalize():f})" for size, price in reversed(rate.tiers))
    return f"${rate.base.normalize():f}{above}"


def _unpriced(filters: Filters, model: PricedModel, *, may_add: bool) -> dict[str, Any]:
    use = model.use
    add_url = url_with(reverse("admin:integrations_priceoverride_add"), {"model": use.model})
    return {
        "model": use.model,
        "tokens": wording.compact(model.unpriced),
        "tokens_url": rows_of_part(filters, "ai.unpriced_tokens", Dimension.MODEL, use.model),
        "requests": wording.compact(use.requests) if use.requests else "",
        "agents": wording.listed([agent_name(agent) for agent in sorted(use.agents)]),
        "first_day": wording.day(use.first_day) if use.first_day else "",
        "last_day": wording.day(use.last_day) if use.last_day else "",
        "add_url": add_url if may_add else "",
    }


def _corrections(request: HttpRequest) -> list[dict[str, str]]:
    """Corrections of earlier prices that wait for an admin's decision."""
    if not getattr(request.user, "is_superuser", False):
        return []
    url = url_with(reverse("admin:integrations_repricing_changelist"), {"state__exact": Repricing.State.OFFERED.value})
    return [
        {
            "reason": offer.reason,
            "before": wording.exact(float(offer.spend_before), "currency"),
            "after": wording.exact(float(offer.spend_after), "currency"),
            "url": url,
        }
        for offer in Repricing.objects.filter(state=Repricing.State.OFFERED).order_by("pk")
    ]


def _url(filters: Filters, chosen: Mapping[str, str], *, name: str = "ai_prices") -> str:
    pairs = [*filters.parameters()]
    for model, other in chosen.items():
        pairs += [(ALL, other)] if model == ALL else [("used", model), ("instead", other)]
    return url_with(reverse(name), pairs)
