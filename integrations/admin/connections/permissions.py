"""What has to be granted, as a connector says it in Markdown."""

from __future__ import annotations

from functools import cache

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt


@cache
def as_html(markdown: str) -> SafeString:
    """Tags in it stay text, and links lead to http addresses only."""
    html: str = MarkdownIt("commonmark", {"html": False}).render(markdown)
    return mark_safe(html)  # noqa: S308  # rendered without tags of its own
