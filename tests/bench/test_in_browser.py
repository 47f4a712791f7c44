"""Visits to a page by a browser, as the bench measures them."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.in_browser import pages_in_browser
from core import browser_print


def test_without_a_browser_it_says_so(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.delenv("HEADWAY_CHROMIUM", raising=False)
    monkeypatch.setattr(browser_print, "PROGRAMS", ())
    assert [*pages_in_browser("", "page", first=["/"], again=["/"], rounds=1)] == []
    assert "no Chromium" in caplog.text


def test_a_browser_that_does_not_start_is_reported_and_the_rest_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(broken.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("HEADWAY_CHROMIUM", str(broken))
    with ThreadPoolExecutor(1) as beside_the_browser_of_this_run:
        visits = beside_the_browser_of_this_run.submit(
            lambda: [*pages_in_browser("", "page", first=["/"], again=["/"], rounds=1)]
        )
    assert visits.result() == []
    assert f"{broken} does not start" in caplog.text
