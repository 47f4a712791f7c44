"""Renders users' Markdown as safe HTML."""

from __future__ import annotations

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

_READER = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
_TAGS = {
    *("p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote"),
    *("h1", "h2", "h3", "h4", "ul", "ol", "li", "a", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto"}


def as_html(text: str) -> SafeString:
    """Raw HTML stays text; only http, https and mailto links are kept, and images are dropped."""
    cleaned = nh3.clean(_READER.render(text), tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES)
    return mark_safe(cleaned)  # noqa: S308  # nh3 has just removed everything that is not listed above


def blocks_of(text: str) -> list[str]:
    """The text's paragraphs, lists, tables and other blocks of the top level, as they are written."""
    lines = text.splitlines()
    ranges = [token.map for token in _READER.parse(text) if token.level == 0 and token.map and token.nesting >= 0]
    return ["\n".join(lines[start:end]).rstrip() for start, end in ranges]
