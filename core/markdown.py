"""Renders Markdown of users, and of the product's own pages, as safe HTML."""

from __future__ import annotations

import re
from collections.abc import Callable

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
_HEADINGS = ("h1", "h2", "h3", "h4")
_TABLE = ("<table>", '<div class="hw-tw" tabindex="0" role="group" aria-label="Table"><table class="hw-t">')


def as_html(text: str) -> SafeString:
    """Raw HTML stays text; only http, https and mailto links are kept, and images are dropped."""
    cleaned = nh3.clean(_READER.render(text), tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES)
    return mark_safe(cleaned)  # noqa: S308  # nh3 has just removed everything that is not listed above


def page_as_html(text: str, link: Callable[[str], str]) -> SafeString:
    """HTML as made by `as_html`, with an anchor at each heading.  `link` maps the target of a link to its address, or
    to nothing.

    Wide tables scroll on their own.
    """
    tokens = _READER.parse(text)
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open" and following:
            token.attrSet("id", anchor_of(following.content))
        for inner in token.children or ():
            if inner.type == "link_open":
                inner.attrSet("href", link(str(inner.attrGet("href"))))
    html = _READER.renderer.render(tokens, _READER.options, {})
    with_anchors = {**_ATTRIBUTES, **{tag: {"id"} for tag in _HEADINGS}}
    cleaned = nh3.clean(html, tags=_TAGS, attributes=with_anchors, url_schemes=_SCHEMES)
    return mark_safe(cleaned.replace(*_TABLE).replace("</table>", "</table></div>"))  # noqa: S308  # as above


def anchor_of(heading: str) -> str:
    """The anchor by which links refer to a heading, made as source hosts make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def blocks_of(text: str) -> list[str]:
    """The text's paragraphs, lists, tables and other blocks of the top level, as they are written."""
    lines = text.splitlines()
    ranges = [token.map for token in _READER.parse(text) if token.level == 0 and token.map and token.nesting >= 0]
    return ["\n".join(lines[start:end]).rstrip() for start, end in ranges]
