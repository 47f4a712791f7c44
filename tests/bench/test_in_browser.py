"""Visits to a page by a browser, as the bench measures them."""

from __future__ import annotations

import shutil

import pytest

from programs.bench import in_browser
from programs.bench.in_browser import pages_in_browser


def test_without_a_browser_it_says_so(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.delenv("HEADWAY_CHROMIUM", raising=False)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(in_browser, "PROGRAMS", ())
    assert [*pages_in_browser("", {"page": "/"}, rounds=1, conditions="")] == []
    assert "no Chromium" in caplog.text
