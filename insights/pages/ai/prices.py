"""What-if prices: a window's tokens at the prices of the models used and of others; and models without a price."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from core.csv_export import Cell, csv_response
from insights.catalogue.agents import agent_name
from insights.pages.ai.answers import AI_PAGE
from insights.pages.answers import Answers, PageQuery
from insights.pages.drill import rows_of_part
from insights.pages.filter_bar import range_pickers
from insights.query.query import Dimension
from insights.ui import tiles, wording
from insights.ui.filters import BadFilterError, Filters, filters_of
from insights.ui.scope_bar import scope_bar, scope_navigation, scope_words
from insights.ui.views import figures_view, page_view
from integrations.telemetry.prices.library import listed_models
from integrations.telemetry.prices.lists import PriceCard, Rate
from integrations.telemetry.prices.model_use import ModelUse, WhatIf, models_in_use, unknown_models, what_if

QUERIES = (PageQuery("ai.tokens", Dimension.MODEL, whole=True), PageQuery("ai.tokens", whole=True))
SUPPORTED_FACETS = (Dimension.AGENT, Dimension.MODEL)
ALL = "all"
LONGEST_NAME = 120
MOST_MODELS = 100


@dataclass(frozen=True)
class PriceRow:
    """One model used, and its tokens at other prices."""

    model: str
    tokens: str
    requests: str
    spend: str  # empty without a price
    unpriced: str  # tokens without a price; empty where there are none
    chosen: str  # as typed; empty: as used
    then: str
    difference: str
    percent: str
    prices: str  # what the chosen model costs
    rows_url: str
    tokens_url: str


@dataclass(frozen=True)
class Unpriced:
    model: str
    tokens: str
    tokens_url: str
    requests: str
    agents: str
    first_day: str
    last_day: str
    add_url: str  # empty if the viewer may not


@figures_view
def ai_prices(request: HttpRequest) -> HttpResponseBase:
    filters = _filters(request)
    around = scope_navigation(request, filters)
    chosen = _chosen(request)
    answers = AI_PAGE.read(filters, QUERIES)
    uses, left_out = _uses(answers)
    unknown = unknown_models({model for model in chosen.values() if model})
    priced = what_if(uses, _instead(uses, chosen, unknown))
    context = {
        "days": wording.days(filters.window),
        "whose": scope_words(filters, around),
        "scope": scope_bar(filters, around, {}, request.path, extra_params=_extra_params(chosen)),
        "ranges": range_pickers(filters, lambda other: _url(other, chosen)),
        "hidden": [(name, value) for name, value in filters.parameters()],
        "rows": [_row(use, chosen, filters) for use in priced],
        "total": _total(priced),
        "for_all": chosen.get(ALL, ""),
        "unknown": sorted(unknown),
        "models": listed_models(),
        "left_out": left_out,
        "reason": answers.figure("ai.tokens").reason if answers.figure("ai.tokens").withheld else "",
        "summed": _summed(uses),
        "rough": any(not use.knows_bounds for use in priced),
        "unpriced": [
            _unpriced(filters, use, may_add=getattr(request.user, "is_superuser", False))
            for use in uses
            if use.unpriced_tokens
        ],
        "csv_url": _url(filters, chosen, name="ai_prices_csv"),
        "spend_url": f"{reverse('ai')}{filters.query_string()}#spend",
    }
    return render(request, "insights/prices/prices.html", context)


@page_view
def ai_prices_csv(request: HttpRequest) -> HttpResponseBase:
    chosen = _chosen(request)
    uses, _ = _uses(AI_PAGE.read(_filters(request), QUERIES))
    unknown = unknown_models({model for model in chosen.values() if model})
    return csv_response("headway-ai-prices", _csv_rows(what_if(uses, _instead(uses, chosen, unknown))))


def _csv_rows(priced: Sequence[WhatIf]) -> Iterator[list[Cell]]:
    yield [
        *("Model", "Agents", "Requests", "Tokens", "Tokens without a price", "First day", "Last day"),
        *("Spend (USD)", "Priced as", "Spend then (USD)"),
    ]
    for priced_use in priced:
        use = priced_use.use
        yield [
            *(use.model, " ".join(sorted(use.agents)), use.requests, use.token_count, use.unpriced_tokens),
            *(str(use.first_day or ""), str(use.last_day or "")),
            *(None if use.spend is None else float(use.spend), priced_use.model),
            None if priced_use.spend is None else float(priced_use.spend),
        ]


def _filters(request: HttpRequest) -> Filters:
    filters = filters_of(request)
    for dimension in [facet for facet in filters.facets if facet not in SUPPORTED_FACETS]:
        filters = filters.without(dimension)
    return filters


def _chosen(request: HttpRequest) -> Mapping[str, str]:
    """Model used → model to price it as; ALL applies to the models without an entry."""
    used, instead = request.GET.getlist("used"), request.GET.getlist("instead")
    if len(used) != len(instead) or len(used) > MOST_MODELS:
        raise BadFilterError("instead", f"Give one for each `used`, at most {MOST_MODELS}.")
    typed = {model: other.strip() for model, other in zip(used, instead, strict=True)}
    typed[ALL] = (request.GET.get(ALL) or "").strip()
    for name in (*typed, *typed.values()):
        if len(name) > LONGEST_NAME:
            raise BadFilterError("instead", f"A model name has at most {LONGEST_NAME} printable characters.")
    return {model: other for model, other in typed.items() if other}


def _instead(uses: Sequence[ModelUse], chosen: Mapping[str, str], unknown: set[str]) -> Mapping[str, str]:
    picked = {use.model: chosen.get(use.model) or chosen.get(ALL, "") for use in uses}
    return {model: other for model, other in picked.items() if other not in unknown}


def _uses(answers: Answers) -> tuple[list[ModelUse], int]:
    """The models that the viewer may see, the most expensive first, and the number of hidden ones."""
    if answers.figure("ai.tokens").withheld:
        return [], 0
    figures = tiles.by_segment(answers.answer("ai.tokens", Dimension.MODEL), Dimension.MODEL)
    shown = sorted(model for model, figure in figures.items() if model and not figure.withheld)
    return _used_by(answers.filters, shown) if shown else [], answers.left_out("ai.tokens", Dimension.MODEL)


def _used_by(filters: Filters, models: Sequence[str]) -> list[ModelUse]:
    """These models of the filters' scope, window and agents."""
    first, after = filters.window.start, filters.window.end
    agents = filters.facets.get(Dimension.AGENT, ())
    return models_in_use(first, after, filters.people_filter, agents=agents, models=models)


def _row(priced: WhatIf, chosen: Mapping[str, str], filters: Filters) -> PriceRow:
    use = priced.use
    has_difference = priced.card is not None or priced.spend is None
    difference, percent = _difference(use, priced) if has_difference else ("", "")
    return PriceRow(
        model=use.model,
        tokens=wording.compact(use.token_count),
        requests=wording.compact(use.requests) if use.requests else "",
        spend="" if use.spend is None else wording.exact(float(use.spend), "currency"),
        unpriced=wording.compact(use.unpriced_tokens) if use.unpriced_tokens else "",
        chosen=chosen.get(use.model, ""),
        then="" if not has_difference or priced.spend is None else wording.exact(float(priced.spend), "currency"),
        difference=difference,
        percent=percent,
        prices=_prices(priced.card) if priced.card else "",
        rows_url=_rows_of_model(filters, "ai.spend", use.model),
        tokens_url=_rows_of_model(filters, "ai.tokens", use.model),
    )


def _rows_of_model(filters: Filters, key: str, model: str) -> str:
    return rows_of_part(filters, key, Dimension.MODEL, model)


def _difference(use: ModelUse, priced: WhatIf) -> tuple[str, str]:
    """In dollars and percent; empty where part of the spend is unknown, as totals would not be comparable."""
    if use.spend is None or priced.spend is None or use.unpriced_tokens:
        return "", ""
    return _signed(float(priced.spend - use.spend)), _percent(float(priced.spend), float(use.spend))


def _signed(amount: float) -> str:
    return ("+" if amount > 0 else "") + wording.exact(amount, "currency")


def _percent(then: float, now: float) -> str:
    if not now:
        return ""
    change = (then - now) / now * 100
    return f"{'+' if change > 0 else '−' if change < 0 else ''}{abs(change):,.0f}%"


def _total(priced: Sequence[WhatIf]) -> dict[str, str]:
    """The totals of models with both spends known."""
    both = [
        line
        for line in priced
        if line.spend is not None and line.use.spend is not None and not line.use.unpriced_tokens
    ]
    now, then = sum(float(line.use.spend or 0) for line in both), sum(float(line.spend or 0) for line in both)
    has_difference = any(line.card is not None for line in priced)
    return {
        "tokens": wording.compact(sum(line.use.token_count for line in priced)),
        "now": wording.exact(now, "currency"),
        "then": wording.exact(then, "currency") if has_difference else "",
        "difference": _signed(then - now) if has_difference else "",
        "percent": _percent(then, now) if has_difference else "",
        "left_out": wording.count(len(priced) - len(both), "model") if len(both) < len(priced) else "",
    }


def _summed(uses: Sequence[ModelUse]) -> str:
    summed, tokens = sum(use.summed_tokens for use in uses), sum(use.token_count for use in uses)
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


def _unpriced(filters: Filters, use: ModelUse, *, may_add: bool) -> Unpriced:
    add_url = f"{reverse('admin:integrations_priceoverride_add')}?{urlencode({'model': use.model})}"
    return Unpriced(
        model=use.model,
        tokens=wording.compact(use.unpriced_tokens),
        tokens_url=_rows_of_model(filters, "ai.unpriced_tokens", use.model),
        requests=wording.compact(use.requests) if use.requests else "",
        agents=wording.listed([agent_name(agent) for agent in sorted(use.agents)]),
        first_day=wording.day(use.first_day) if use.first_day else "",
        last_day=wording.day(use.last_day) if use.last_day else "",
        add_url=add_url if may_add else "",
    )


def _extra_params(chosen: Mapping[str, str]) -> Mapping[str, str]:
    """The parameters that the scope bar's links keep: the model for all."""
    return {ALL: chosen[ALL]} if ALL in chosen else {}


def _url(filters: Filters, chosen: Mapping[str, str], *, name: str = "ai_prices") -> str:
    pairs = [*filters.parameters()]
    for model, other in chosen.items():
        pairs += [(ALL, other)] if model == ALL else [("used", model), ("instead", other)]
    return f"{reverse(name)}{'?' + urlencode(pairs) if pairs else ''}"
