"""Renders printable pages: a self-contained HTML text for a browser without network access, and its PDF file."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.safestring import mark_safe

from core.browser_print import print_to_pdf

STYLES = (
    *("vendor/tabler/tabler.min.css", "css/fonts.css", "css/headway.css", "css/components/shell.css"),
    *("css/components/controls.css", "css/components/tiles.css", "css/components/charts.css"),
    *("css/components/sheets.css", "css/components/report.css", "css/print.css", "css/sheets-print.css"),
)
FONT = re.compile(r'url\("\.\./(vendor/inter-print/[^"]+)"\)')
SPRITE = "vendor/icons/sprite.svg"


def printable_page(template: str, context: Mapping[str, Any]) -> str:
    """A single HTML text that contains its styles, fonts and icons, for a browser without network access."""
    page = render_to_string(
        template,
        {**context, "styles": mark_safe(f"<style>{_styles()}</style>"), "icons": mark_safe(_text(SPRITE))},  # noqa: S308  # our own files
    )
    return page.replace(f'href="{static(SPRITE)}#', 'href="#')


def pdf_of(html: str, name: str) -> HttpResponse:
    """The page as a PDF file.  Raises PrintingError."""
    response = HttpResponse(print_to_pdf(html), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response


@cache
def _styles() -> str:
    return FONT.sub(lambda font: f'url("data:font/woff2;base64,{_base64(font[1])}")', "\n".join(map(_text, STYLES)))


def _text(name: str) -> str:
    return _file(name).read_text(encoding="utf-8")


def _base64(name: str) -> str:
    return base64.b64encode(_file(name).read_bytes()).decode()


def _file(name: str) -> Path:
    found = finders.find(name)
    if not isinstance(found, str):
        raise FileNotFoundError(f"There is no static file {name}.")
    return Path(found)
