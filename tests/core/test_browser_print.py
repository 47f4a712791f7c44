"""Printing in a browser: it ends, whatever the browser does, and one at a time."""

from __future__ import annotations

import stat
import time
from pathlib import Path

import pytest
from django.db import connection

from core import browser_print
from core.browser_print import PRINTING, PrintingError, chromium, print_to_pdf


def program(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser that does this."""
    path = folder / "browser"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("HEADWAY_CHROMIUM", str(path))


@pytest.mark.django_db
def test_a_browser_that_hangs_is_ended_with_its_helpers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "sleep 300 & sleep 300", monkeypatch)
    monkeypatch.setattr(browser_print, "SECONDS", 0.5)
    started = time.monotonic()
    with pytest.raises(PrintingError, match="too long"):
        print_to_pdf("<p>page</p>")
    assert time.monotonic() - started < 30


@pytest.mark.django_db
def test_a_browser_that_makes_nothing_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "exit 3", monkeypatch)
    with pytest.raises(PrintingError, match="made no PDF"):
        print_to_pdf("<p>page</p>")


@pytest.mark.django_db(transaction=True)
def test_one_page_is_printed_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "exit 0", monkeypatch)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [PRINTING.number])
        with pytest.raises(PrintingError, match="Try again in a few seconds"):
            print_to_pdf("<p>page</p>")
    finally:
        other.close()


@pytest.mark.django_db
@pytest.mark.skipif(chromium() is None, reason="there is no Chromium")
def test_the_browser_reaches_no_file_and_no_address_and_runs_no_script(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("a secret")
    page = f"""<meta http-equiv="Content-Security-Policy" content="default-src 'none'">
        <iframe src="{secret.as_uri()}"></iframe><object data="{secret.as_uri()}"></object>
        <script>document.write("written ".repeat(20000))</script><p>page</p>"""
    printed = print_to_pdf(page)
    assert printed.startswith(b"%PDF-")
    assert printed.count(b"/MediaBox") == 1, "a page that writes itself would have many"
    assert len(printed) < 20_000
