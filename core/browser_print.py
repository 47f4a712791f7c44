"""Prints a page to PDF with the Chromium of this machine, which reaches neither the network nor files of its choice.

The page contains its styles and fonts, and a policy (`<meta http-equiv="Content-Security-Policy">`) that forbids
everything else: no URL is opened and no script runs.  Only one browser runs at a time, because it needs much memory,
and for a limited time.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from core.locks import Lock

# As scripts/browser.sh: Debian's headless shell first, which takes a third of the processor time of the whole browser.
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 60  # at most; one page takes a second or two
PRINTING = Lock("printing in a browser")
# Headless, without background activity, and unable to resolve any host.
OPTIONS = (
    *("--headless", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--no-first-run"),
    *("--no-default-browser-check", "--metrics-recording-only", "--mute-audio", "--no-pdf-header-footer"),
    *("--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9"),
)


class PrintingError(Exception):
    """The message is a sentence for the person who requested the file."""


def chromium() -> str | None:
    """Path of Chromium on this machine: HEADWAY_CHROMIUM, else one in a usual place; None if there is none."""
    return os.environ.get("HEADWAY_CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)


def print_to_pdf(html: str) -> bytes:
    """The page as a PDF.  Raises PrintingError if there is no browser, another page is being printed, or it takes too
    long.
    """
    program = chromium()
    if program is None:
        raise PrintingError("The server has no browser to make a PDF with. Print this page from your own, as PDF.")
    with PRINTING.held() as is_ours:
        if not is_ours:
            raise PrintingError("Another page is being printed just now. Try again in a few seconds.")
        with tempfile.TemporaryDirectory(prefix="headway-print-") as folder:
            return _printed(program, html, Path(folder))


def _printed(program: str, html: str, folder: Path) -> bytes:
    page, made = folder / "page.html", folder / "page.pdf"
    page.write_text(html, encoding="utf-8")
    root = ("--no-sandbox",) if os.getuid() == 0 else ()
    process = subprocess.Popen(  # the operator chooses the program, this file its options
        [program, *OPTIONS, *root, f"--user-data-dir={folder / 'profile'}", f"--print-to-pdf={made}", page.as_uri()],
        env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise PrintingError("The server's browser took too long. Print this page from your own, as PDF.") from None
    finally:
        with contextlib.suppress(ProcessLookupError):  # including its helper processes
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if not made.is_file() or not made.stat().st_size:
        raise PrintingError("The server's browser made no PDF. Print this page from your own, as PDF.")
    return made.read_bytes()
