"""The texts of all tabs of a page, one after the other."""

from __future__ import annotations

from django.test import Client

from insights.pages.ai.tabs import AI_PAGE
from insights.pages.delivery.tabs import DELIVERY_PAGE

AI = tuple(AI_PAGE.at(tab) for tab in AI_PAGE.tabs)
DELIVERY = tuple(DELIVERY_PAGE.at(tab) for tab in DELIVERY_PAGE.tabs)


def ai_page(client: Client, query: str = "") -> str:
    return "".join(_page(client, f"{page.path}{query}") for page in AI)


def delivery_page(client: Client, query: str = "") -> str:
    return "".join(_page(client, f"{page.path}{query}") for page in DELIVERY)


def _page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()
