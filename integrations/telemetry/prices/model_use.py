"""The tokens of models by price determinants, and the cost of the same tokens on other models.

The actual cost is a metric and is not computed here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db import connection
from psycopg import sql

from integrations.telemetry.prices.book import PriceBook, read_price_book
from integrations.telemetry.prices.lists import PROMPT_BOUNDS, PriceCard, TokenCounts
from integrations.telemetry.prices.sellers import listed_name
from orgtree.trees.people_filter import EVERYBODY, PeopleFilter, conditions


class TierKey(NamedTuple):
    """The determinants of a price other than the model: agent, day, prompt size and service tier."""

    agent: str
    day: date
    prompt_above: int  # one of PROMPT_BOUNDS; 0: up to the first, or unknown
    service_tier: str


@dataclass
class ModelUse:
    """The tokens of one model in a window, by everything that determines their price."""

    model: str
    summed_tokens: int = 0  # tokens of days with known sums but no single requests
    requests: int = 0
    agents: set[str] = field(default_factory=set)
    first_day: date | None = None
    last_day: date | None = None
    tokens: dict[TierKey, TokenCounts] = field(default_factory=dict)

    @property
    def token_count(self) -> int:
        return sum(sum(counts[:4]) for counts in self.tokens.values())


# One row per model, agent, day, prompt size and service tier: whole days, and the parts not priced at the base, which
# are subtracted from the days.  Only counted sources: docs/sessions.md.
_USED = sql.SQL(
    """
    SELECT figures.model, figures.agent, figures.day, -1 AS prompt_above, '' AS service_tier,
           sum(figures.input_tokens)::bigint, sum(figures.cache_read_tokens)::bigint,
           sum(figures.cache_write_tokens)::bigint, sum(figures.output_tokens)::bigint,
           sum(figures.cache_write_1h_tokens)::bigint, sum(figures.requests)::bigint,
           coalesce(sum(figures.input_tokens + figures.cache_read_tokens + figures.cache_write_tokens
                        + figures.output_tokens) FILTER (WHERE figures.source <> 'events'), 0)::bigint
    FROM integrations_agentsessionday figures
    {people}
    WHERE figures.counted AND figures.model <> '' AND figures.day >= %(first)s AND figures.day < %(after)s {narrowed}
    GROUP BY figures.model, figures.agent, figures.day
    UNION ALL
    SELECT figures.model, figures.agent, figures.day, figures.prompt_above, figures.service_tier,
           sum(figures.input_tokens)::bigint, sum(figures.cache_read_tokens)::bigint,
           sum(figures.cache_write_tokens)::bigint, sum(figures.output_tokens)::bigint,
           sum(figures.cache_write_1h_tokens)::bigint, 0, 0
    FROM integrations_agenttierday figures
    JOIN integrations_agentsessionday whole USING (session_id, day, model)
    {people}
    WHERE whole.source = 'events' AND whole.counted AND figures.model <> ''
      AND figures.day >= %(first)s AND figures.day < %(after)s {narrowed}
    GROUP BY figures.model, figures.agent, figures.day, figures.prompt_above, figures.service_tier
    """
)
WHOLE_DAY = -1


class UsedRow(NamedTuple):
    """Tokens of a model, agent and day: all of them (`prompt_above` is WHOLE_DAY, with the sums of the day), or those
    of requests with that prompt size and service tier.
    """

    model: str
    agent: str
    day: date
    prompt_above: int
    service_tier: str
    input: int
    cache_read: int
    cache_write: int
    output: int
    cache_write_1h: int
    requests: int
    summed_tokens: int

    @property
    def counts(self) -> TokenCounts:
        return TokenCounts(self.input, self.cache_read, self.cache_write, self.output, self.cache_write_1h)


def models_in_use(
    first: date,
    after: date,
    people_filter: PeopleFilter = EVERYBODY,
    *,
    agents: Collection[str] = (),
    models: Collection[str] = (),
) -> list[ModelUse]:
    """The models that these people used on days [first, after), by name."""
    return uses_of(rows_in_use(first, after, people_filter, agents=agents, models=models))


def rows_in_use(
    first: date,
    after: date,
    people_filter: PeopleFilter = EVERYBODY,
    *,
    agents: Collection[str] = (),
    models: Collection[str] = (),
) -> list[UsedRow]:
    """The rows for `uses_of`, from the days of sessions."""
    theirs, parameters = conditions(people_filter, person=sql.SQL("identity.person_id"), day=sql.SQL("figures.day"))
    narrowed: list[sql.Composable] = [theirs]
    if agents:
        narrowed.append(sql.SQL("AND figures.agent = ANY (%(agents)s)"))
    if models:
        narrowed.append(sql.SQL("AND figures.model = ANY (%(models)s)"))
    people = sql.SQL(
        "JOIN orgtree_identity identity ON identity.id = figures.identity_id" if people_filter != EVERYBODY else ""
    )
    statement = _USED.format(narrowed=sql.SQL(" ").join(narrowed), people=people)
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            {**parameters, "first": first, "after": after, "agents": list(agents), "models": list(models)},
        )
        return [UsedRow(*row) for row in cursor.fetchall()]


def uses_of(rows: Sequence[UsedRow]) -> list[ModelUse]:
    """Aggregate rows by model, in the order of their names."""
    uses: dict[str, ModelUse] = {}
    apart: dict[tuple[str, str, date], list[TokenCounts]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.prompt_above == WHOLE_DAY, row[:5])):
        use = uses.setdefault(row.model, ModelUse(row.model))
        key = row.model, row.agent, row.day
        if row.prompt_above != WHOLE_DAY:
            apart[key].append(row.counts)
            use.tokens[TierKey(row.agent, row.day, row.prompt_above, row.service_tier)] = row.counts
            continue
        rest = TokenCounts(
            *(total - sum(counts[kind] for counts in apart[key]) for kind, total in enumerate(row.counts))
        )
        use.tokens[TierKey(row.agent, row.day, 0, "")] = rest
        use.requests += row.requests
        use.summed_tokens += row.summed_tokens
        use.agents.add(row.agent)
        use.first_day = min(use.first_day or row.day, row.day)
        use.last_day = max(use.last_day or row.day, row.day)
    return sorted(uses.values(), key=lambda use: use.model)


@dataclass(frozen=True)
class WhatIf:
    """One model's tokens at another model's prices."""

    use: ModelUse
    model: str  # the model whose prices apply; empty if nothing changes
    spend: Decimal | None  # None if a price is unknown on any day, and if nothing changes
    card: PriceCard | None  # as of the last day on which the model was used
    knows_bounds: bool  # whether requests are counted by the prompt sizes at which its prices change


def what_if(uses: Sequence[ModelUse], instead: Mapping[str, str]) -> list[WhatIf]:
    """Price the same tokens on other models: `instead` maps used models to others; unmapped ones stay the same.

    Each day has its own prices.  Prompt size and service tier are applied if they are known.
    """
    agents = {agent for use in uses for agent in use.agents}
    book = read_price_book({listed_name(model, agent) for model in instead.values() for agent in agents if model})
    return [_repriced_on(use, instead.get(use.model, ""), book) for use in uses]


def _repriced_on(use: ModelUse, model: str, book: PriceBook) -> WhatIf:
    if not model:
        return WhatIf(use, "", None, None, knows_bounds=True)
    agent = min(use.agents, default="")
    last = book.card_of_day(model, agent, use.last_day, "") if use.last_day else None
    spend, bounds = Decimal(0), set[int]()
    for key, counts in use.tokens.items():
        card = book.card_of_day(model, key.agent, key.day, key.service_tier)
        if card is None:
            return WhatIf(use, model, None, last, knows_bounds=bounds <= set(PROMPT_BOUNDS))
        bounds.update(card.bounds)
        # A model without one-hour cache writes would write everything at its only rate.
        written = counts if card.cache_write_1h else counts._replace(cache_write_1h=0)
        spend += card.price(written, prompt_size=key.prompt_above + 1 if key.prompt_above else 0) or 0
    return WhatIf(use, model, spend, last, knows_bounds=bounds <= set(PROMPT_BOUNDS))


def unknown_models(models: Collection[str]) -> set[str]:
    """The names without a price on any day: misspelled, or not in the price list."""
    book = read_price_book(models)
    return {
        model
        for model in models
        if model not in book.lists and not any(override.matches(model, override.agent) for override in book.overrides)
    }
