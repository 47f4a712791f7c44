"""Serving of the demo's simulated tools: by one process at a time, coordinated by a file that only its owner can
read.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from demo.plan.stories import Flavour
from demo.plan.year import DemoYear
from demo.providers.serve import DemoTools, history_of, serving_alone

ANCHOR = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)  # the night in which Berlin's clocks go forward


def _tools() -> DemoTools:
    return DemoTools(
        seed=1,
        flavour="small-quiet",
        anchor=ANCHOR.isoformat(),
        zone="Europe/Berlin",
        repositories="/somewhere",
        ports={"github": 1, "jira": 2, "jenkins": 3, "pagerduty": 4, "anthropic": 5},
        token="secret",
    )


def test_the_file_is_read_as_it_was_written_and_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "tools.json"
    assert DemoTools.read(path) is None
    _tools().write(path)
    assert DemoTools.read(path) == _tools()
    assert path.stat().st_mode & 0o077 == 0


def test_the_year_is_the_one_of_the_organisations_zone(tmp_path: Path) -> None:
    anchor = ANCHOR.astimezone(ZoneInfo("Europe/Berlin"))
    year = _tools().year
    assert year == DemoYear(seed=1, flavour=Flavour.SMALL_QUIET, anchor=anchor)
    assert year.anchor.tzinfo == anchor.tzinfo  # other days of the year have another offset


def test_repositories_of_another_version_are_not_served(capsys: pytest.CaptureFixture[str]) -> None:
    assert history_of(_tools()) is None
    assert "not those of this version's demo" in capsys.readouterr().err


def test_one_serves_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "demo" / "tools.json"
    with serving_alone(path) as first:
        assert first
        with serving_alone(path) as second:
            assert not second
    with serving_alone(path) as again:
        assert again
