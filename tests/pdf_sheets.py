"""What is printed on each page of a PDF that Chromium made: the number of its runs of text and of its drawn shapes."""

from __future__ import annotations

import re
import zlib
from typing import NamedTuple

_OBJECT = re.compile(rb"(\d+) 0 obj\s(.*?)endobj", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
_CONTENTS = re.compile(rb"/Contents (\d+) 0 R")
_TEXT, _SHAPE = re.compile(rb"\bT[jJ]\b"), re.compile(rb"(?m)^f\*?$|\bre\b")

BLANK_TEXTS = 100  # runs of text, about a letter pair each, of a sheet with a title, a line and a footer alone


class Sheet(NamedTuple):
    texts: int
    shapes: int


def sheets_of(pdf: bytes) -> list[Sheet]:
    """One per page, in order."""
    objects = {int(number): content for number, content in _OBJECT.findall(pdf)}
    pages = [content for _, content in sorted(objects.items()) if re.search(rb"/Type /Page\b", content)]
    return [_sheet(objects[int(found[1])]) for page in pages if (found := _CONTENTS.search(page))]


def _sheet(content: bytes) -> Sheet:
    stream = _STREAM.search(content)
    # The compressed bytes say where they end: their last one may be a carriage return, too.
    drawn = zlib.decompressobj().decompress(stream[1]) if stream else b""
    return Sheet(len(_TEXT.findall(drawn)), len(_SHAPE.findall(drawn)))
