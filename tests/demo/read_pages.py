"""The demo's pages as read in a browser."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import unescape

import httpx

from insights.pages.ai.tabs import AI_PAGE
from insights.pages.delivery.tabs import DELIVERY_PAGE
from integrations.models import ReceivedBatch
from tests.patience import wait_until

HINT = "What to look for"


@dataclass(frozen=True)
class MarkRead:
    index: int
    text: str


@dataclass(frozen=True)
class Trend:
    """A metric's trend: the first day and the value of each bucket, and the notes on it."""

    starts: Sequence[date]
    values: Sequence[float | None]
    marks: Sequence[MarkRead]


def ai_page(browser: httpx.Client, **parameters: str) -> str:
    return _with_parts(browser, "/insights/ai/", AI_PAGE.tabs, parameters)


def delivery_page(browser: httpx.Client, **parameters: str) -> str:
    return _with_parts(browser, "/insights/delivery/", DELIVERY_PAGE.tabs, parameters)


def _with_parts(browser: httpx.Client, path: str, tabs: Iterable[str], parameters: Mapping[str, str]) -> str:
    """The HTML of all tabs with the parts that they load by themselves."""
    addresses = [f"{path}{tab}/" if tab else path for tab in tabs]
    page = "".join(browser.get(address, params=parameters).raise_for_status().text for address in addresses)
    parts = sorted(set(re.findall(rf'hx-get="({path}parts/[^"]+)" hx-trigger="load', page)))
    return page + "".join(browser.get(unescape(part)).raise_for_status().text for part in parts)


def bottleneck(page: str) -> str:
    """The bottleneck that the delivery page names among lead time's stages; empty if none."""
    match = re.search(r'<div class="hw-call[^>]*>(.*?)</div>', page, re.DOTALL)
    return words(match[1]) if match else ""


def hint(page: str) -> str:
    """The hints of the sections; empty if no rule applies."""
    return " ".join(words(text) for text in re.findall(rf"{HINT}(.*?)</(?:aside|div|section)>", page, re.DOTALL))


def compared(browser: httpx.Client, units: Sequence[str], key: str, **parameters: str) -> Mapping[str, str]:
    """Unit → what its cell of the metric says where these units are compared."""
    params = {"units": ",".join(units), "metrics": key, **parameters}
    page = browser.get("/insights/compare/", params=params).raise_for_status().text
    rows = re.findall(r'<tr><th scope="row"[^>]*>(.*?)</th>(.*?)</tr>', page, re.DOTALL)
    return {words(name): words(cells) for name, cells in rows}


def headline(browser: httpx.Client, key: str, **parameters: str) -> str:
    """The figure of a metric's page, and how it moved."""
    page = browser.get(f"/insights/metrics/{key}/", params=parameters).raise_for_status().text
    match = re.search(r'<div class="hw-headline">(.*?)</div>', page, re.DOTALL)
    assert match, key
    return words(match[1])


def trend(browser: httpx.Client, key: str, **parameters: str) -> Trend:
    address = f"/insights/metrics/{key}/charts/trend"
    drawn = browser.get(f"{address}/", params=parameters).raise_for_status().json()
    listed = browser.get(f"{address}.csv", params=parameters).raise_for_status().content.decode("utf-8-sig")
    starts = [date.fromisoformat(row["From"]) for row in csv.DictReader(io.StringIO(listed))]
    [series] = drawn["datasets"]
    return Trend(starts, series["data"], [MarkRead(mark["index"], mark["text"]) for mark in drawn["marks"]])


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def wait_until_folded() -> None:
    wait_until(lambda: not ReceivedBatch.objects.exists(), what="the worker folds every batch")
