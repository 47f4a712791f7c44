"""Pricing of days with known sums only: from metrics and imported files."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from integrations.telemetry.prices.book import price_book, version_ids
from integrations.telemetry.prices.lists import TokenCounts
from integrations.telemetry.prices.price_snapshots import save_price_snapshots


def price_summed_days(ids: Sequence[int]) -> None:
    """Price whole rows of AgentSessionDay, in the caller's transaction.

    Rows without tokens of a model are left unchanged.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, model, agent, day, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens
            FROM integrations_agentsessionday
            WHERE id = ANY (%s) AND model <> ''
              AND input_tokens + cache_read_tokens + cache_write_tokens + output_tokens > 0
            """,
            [list(ids)],
        )
        days = cursor.fetchall()
        if not days:
            return
        models = {model for _, model, *_ in days}
        save_price_snapshots(models)
        book = price_book(models)
        priced_rows = [
            (row, book.price_of_day(model, agent, day, TokenCounts(*tokens)))
            for row, model, agent, day, *tokens in days
        ]
        versions = version_ids({priced.version for _, priced in priced_rows if priced})
        cursor.execute(
            """
            UPDATE integrations_agentsessionday figures
            SET spend = priced.spend, price_version_id = priced.version,
                unpriced_tokens = CASE WHEN priced.spend IS NULL THEN input_tokens + cache_read_tokens
                                       + cache_write_tokens + output_tokens ELSE 0 END,
                compared_cost = CASE WHEN priced.spend IS NOT NULL THEN reported_cost END,
                compared_spend = CASE WHEN reported_cost IS NOT NULL THEN priced.spend END
            FROM unnest(%s::bigint[], %s::numeric[], %s::bigint[]) AS priced (id, spend, version)
            WHERE figures.id = priced.id
            """,
            [
                [row for row, _ in priced_rows],
                [priced.spend if priced else None for _, priced in priced_rows],
                [versions[priced.version] if priced else None for _, priced in priced_rows],
            ],
        )
