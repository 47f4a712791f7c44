"""Icons, markers, sparklines and bars."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from insights.catalogue.agents import AGENT_NAMES, agent_name
from insights.templatetags import headway

Values = list[float | None]


@dataclass(frozen=True)
class Part:
    key: str
    label: str
    percent: str
    start: float
    fraction: float


def test_a_sparkline_of_fewer_than_two_values_is_nothing() -> None:
    assert headway.sparkline([]) == ""
    assert headway.sparkline([None, 3.0, None]) == ""


def test_a_gap_stays_a_gap() -> None:
    drawn = headway.sparkline([1.0, 2.0, None, 3.0, 4.0])
    assert len(re.findall("M", drawn)) == 2


def test_the_line_to_a_bucket_that_is_not_over_is_dashed() -> None:
    assert 'class="to-date"' in headway.sparkline([1.0, 2.0, 3.0], True)
    assert 'class="to-date"' not in headway.sparkline([1.0, 2.0, None], True)


def test_a_level_series_runs_through_the_middle() -> None:
    assert {y for _, y in points(headway.sparkline([5.0, 5.0, 5.0]))} == {15.0}


@given(st.lists(st.one_of(st.none(), st.floats(-1e12, 1e12)), max_size=60), st.booleans())
def test_a_sparkline_stays_in_its_box(values: Values, to_date: bool) -> None:
    for x, y in points(headway.sparkline(values, to_date)):
        assert 0 <= x <= headway.SPARK_WIDTH
        assert 0 <= y <= headway.SPARK_HEIGHT


def points(drawn: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](\d+\.\d) (\d+\.\d)", drawn)]


@pytest.mark.parametrize(("share", "width"), [(-1, "0.00"), (0.5, "50.00"), (7, "100.00")])
def test_a_bar_is_never_longer_than_its_track(share: float, width: str) -> None:
    assert f'class="bar" width="{width}"' in headway.track(share)


def test_outcomes_leave_out_what_is_nothing() -> None:
    bar = headway.outcome_bar([Part("committed", "Committed", "100%", 0, 1), Part("wasted", "Wasted", "0%", 1, 0)])
    assert 'class="committed"' in bar
    assert 'class="wasted"' not in bar
    assert 'aria-label="Committed 100%, Wasted 0%"' in bar


def test_the_charts_draw_the_same_agents_in_the_same_order_with_the_same_markers() -> None:
    script = (Path(settings.BASE_DIR) / "static" / "js" / "agents.js").read_text()
    in_script = re.findall(r'(\w+): \{ name: "([^"]+)", token: "[^"]+", marker: "(\w+)" \}', script)
    assert [(key, name) for key, name, _ in in_script] == [*AGENT_NAMES.items(), ("none", "Non-AI")]
    shapes = dict(re.findall(r"(\w+): '(<[^']+>)'", script))
    assert [shapes[marker] for _, _, marker in in_script] == [headway.AGENT_SHAPES[key] for key, _, _ in in_script]


def test_an_agent_without_a_marker_of_its_own_still_has_one() -> None:
    assert 'class="k other"' in headway.agent_marker("brand_new")
    assert agent_name("brand_new") == "brand_new"


def test_the_key_of_an_agent_from_outside_is_not_printed() -> None:
    assert "<script>" not in headway.agent_marker("<script>")


@pytest.mark.parametrize(
    ("name", "expected"), [("Nova Reyes", "NR"), ("ada", "AD"), ("ada@example.com", "AC"), ("", "?"), ("…", "?")]
)
def test_initials(name: str, expected: str) -> None:
    assert headway.initials(name) == expected


def test_minutes_of_a_span() -> None:
    assert headway.minutes(timedelta(minutes=15)) == 15
