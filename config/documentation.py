"""Serves the pages of docs/ to signed-in users, and finds sections in them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from core.markdown import anchor_of, page_as_html
from core.views import page_view
from orgtree.access.access import Access
from orgtree.access.search_sources import ELSEWHERE, Hit, rank

FOLDERS = {"": "Using Headway", "connectors": "Connectors", "agents": "Agents", "reference": "Reference"}
DECISIONS = "decisions"  # read by who changes the code; linked, not listed
HEADING = re.compile(r"(#{1,3}) (.+)")
MARKS = re.compile(r"[`*]|\[(?P<text>[^\]]*)\]\([^)]*\)")


@dataclass(frozen=True)
class Section:
    """A heading of a page with the text below it, in small letters; the first one is the page's title."""

    title: str
    anchor: str
    text: str


@dataclass(frozen=True)
class DocPage:
    """A file of docs/ by its path without the ending."""

    name: str
    source: str
    sections: Sequence[Section]

    @property
    def title(self) -> str:
        return self.sections[0].title

    @property
    def folder(self) -> str:
        return posixpath.dirname(self.name)


@cache
def doc_pages() -> Mapping[str, DocPage]:
    """The pages of docs/ by name, read once; empty if an installation has no docs/."""
    root = Path(settings.BASE_DIR) / "docs"
    pages = {}
    for path in sorted(root.rglob("*.md")):
        name, source = path.relative_to(root).with_suffix("").as_posix(), path.read_text(encoding="utf-8")
        if sections := list(_sections(source)):
            pages[name] = DocPage(name, source, sections)
    return pages


def _sections(source: str) -> Iterator[Section]:
    title, lines, is_code = "", list[str](), False
    for line in [*source.splitlines(), "# end"]:
        is_code ^= line.startswith("```")
        heading = None if is_code else HEADING.fullmatch(line)
        if heading is None:
            lines.append(line)
            continue
        if title:
            plain = MARKS.sub(lambda mark: mark["text"] or "", title)
            yield Section(plain, anchor_of(title), "\n".join(lines).lower())
        title, lines = heading[2], []


def doc_url(name: str, anchor: str = "") -> str:
    return reverse("doc", args=[name]) + (f"#{anchor}" if anchor else "")


@page_view
def docs(request: HttpRequest) -> HttpResponseBase:
    """The list of pages."""
    folders = [
        (title, [(page.title, doc_url(page.name)) for page in doc_pages().values() if page.folder == folder])
        for folder, title in FOLDERS.items()
    ]
    return render(request, "docs/list.html", {"folders": [folder for folder in folders if folder[1]]})


@page_view
def doc(request: HttpRequest, name: str) -> HttpResponseBase:
    page = doc_pages().get(name)
    if page is None:
        raise Http404("There is no such page.")

    def link(target: str) -> str:
        return _address(page, target)

    body = page.source.split("\n", 1)[1] if page.source.startswith("# ") else page.source
    context = {"title": page.title, "text": page_as_html(body, link)}
    return render(request, "docs/page.html", context)


def _address(page: DocPage, target: str) -> str:
    """A link of a page: to another page, to the web, or to a heading; to the list of pages where it is a file."""
    parts = urlsplit(target)
    if parts.scheme or not parts.path:
        return target
    name = posixpath.normpath(posixpath.join(page.folder, parts.path)).removesuffix(".md")
    return doc_url(name, parts.fragment) if name in doc_pages() else reverse("docs")


def docs_found(_access: Access, words: Sequence[str], limit: int) -> list[Hit]:
    """Sections by words of their heading, then by words of their text."""
    in_heading, in_text = list[Hit](), list[Hit]()
    for page in doc_pages().values():
        if page.folder == DECISIONS:
            continue
        for place, section in enumerate(page.sections):
            hint = page.title if place else ""
            hit = Hit(section.title, doc_url(page.name, section.anchor if place else ""), hint=hint)
            text = f"{section.title} {hint} {section.text}".lower()
            if rank(hit, words) < ELSEWHERE:
                in_heading.append(hit)
            elif all(word.lower() in text for word in words):
                in_text.append(hit)
    return [*sorted(in_heading, key=lambda hit: rank(hit, words)), *in_text][:limit]
