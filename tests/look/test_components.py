"""Texts of tiles and chart cards in each of their states."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.template.loader import render_to_string

from core.page_links import Picker
from insights.ui.tiles import Change, ChartCard, Link, Tile

TILE = Tile(
    key="ai.spend",
    label="Spend",
    value="$1,204",
    unit="in all",
    spark=(1.0, 3.0, 2.0),
    change=Change("up", "higher", "+$31.00", "vs. previous 12 weeks"),
    sample="38 developers",
    how_url="/how/",
    rows_url="/rows/",
)
CARD = ChartCard(
    key="spend",
    title="Weekly spend",
    info="Spend by agent",
    kind="stacked_bar",
    data_url="/data/",
    csv_url="/data.csv",
    how_url="/how/",
    pickers=(Picker("Agents", "?by=agent", True), Picker("Models", "?by=model", False)),
    span=8,
)


def tile(shown: Tile) -> str:
    return render_to_string("components/tile.html", {"tile": shown})


def card(shown: ChartCard) -> str:
    return render_to_string("components/chart_card.html", {"card": shown})


def test_a_tile_shows_value_change_sample_and_both_ways_to_open_it() -> None:
    html = tile(TILE)
    for part in ("$1,204", "in all", "+$31.00", "vs. previous 12 weeks", "38 developers", "<path"):
        assert part in html
    assert 'href="/how/"' in html
    assert 'href="/rows/"' in html


def test_no_data_is_a_dash_with_its_reason_and_one_link() -> None:
    shown = replace(TILE, value=None, state="no_data", reason="Nothing sends.", reason_link=Link("Connect", "/setup/"))
    html = tile(shown)
    assert "No data" in html
    assert "Nothing sends." in html
    assert 'href="/setup/">Connect' in html
    assert "$" not in html


def test_a_hidden_tile_says_why_and_leads_to_no_rows() -> None:
    html = tile(replace(TILE, value=None, state="hidden", reason="3 developers; 5 are needed."))
    assert "Hidden" in html
    assert "5 are needed" in html
    assert "/rows/" not in html


def test_an_error_is_announced() -> None:
    assert 'role="alert"' in tile(replace(TILE, value=None, state="error", reason="Could not be computed."))


def test_a_stale_tile_keeps_its_value_and_names_the_date() -> None:
    html = tile(replace(TILE, state="stale", reason="Data stops at 26 Sep"))
    assert "$1,204" in html
    assert "Data stops at 26 Sep" in html


def test_text_from_outside_is_escaped() -> None:
    assert "<script>" not in tile(replace(TILE, label="<script>", sample="<script>", spark=()))


def test_a_chart_card_asks_for_its_figures_and_offers_table_csv_and_definition() -> None:
    html = card(CARD)
    assert 'data-chart="/data/"' in html
    assert "Show Weekly spend as a table" in html
    assert 'href="/data.csv"' in html
    assert 'aria-current="true">Agents' in html
    assert 'aria-busy="true"' in html


@pytest.mark.parametrize("state", ["no_data", "hidden", "error"])
def test_a_card_without_figures_asks_for_none(state: str) -> None:
    html = card(replace(CARD, state=state, reason="Because."))  # type: ignore[arg-type]
    assert "data-chart=" not in html
    assert "Because." in html


def test_a_donut_has_its_list_beside_it() -> None:
    html = card(replace(CARD, kind="donut"))
    assert "data-chart-list" in html
    assert "data-chart-centre" in html


def test_a_stale_card_still_draws() -> None:
    html = card(replace(CARD, state="stale", reason="Copilot stops at 26 Sep."))
    assert "hw-stale" in html
    assert "data-chart=" in html
