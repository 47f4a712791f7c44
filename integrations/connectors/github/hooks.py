"""Webhooks of a repository: registered once, with the secret that signs what they send."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from integrations.connectors.base import Http
from integrations.connectors.errors import GoneError, PermanentError, TransientError
from integrations.connectors.github.lists import list_all
from integrations.connectors.github.stream_repository import Place
from integrations.connectors.github.webhooks import EVENTS
from integrations.connectors.unchecked import object_of, text_of


def register_hook(http: Http, place: Place, address: str, secret: str) -> str:
    """The id of the webhook that sends to `address`.

    An existing one is replaced: GitHub does not reveal its secret.
    """
    for hook in _at(http, place, address):
        remove_hook(http, place, text_of(hook, "id"))
    settings = {
        "name": "web",
        "active": True,
        "events": list(EVENTS),
        "config": {"url": address, "content_type": "json", "secret": secret, "insecure_ssl": "0"},
    }
    try:
        hook = http.post(place.path("hooks"), json=settings).json()
    except PermanentError:
        # Registered by a request whose answer was lost: it is ours, with this secret.
        hook = next(_at(http, place, address), None)
        if hook is None:
            raise
    number = text_of(hook, "id")
    if not number:
        raise TransientError("GitHub registered the webhook without saying under which number.")
    return number


def remove_hook(http: Http, place: Place, hook_id: str) -> None:
    """Nothing happens where it is gone already."""
    try:
        http.delete(place.path("hooks", hook_id))
    except GoneError:
        return


def _at(http: Http, place: Place, address: str) -> Iterator[Any]:
    """The repository's webhooks that send there."""
    for hook in list_all(http, place.path("hooks")):
        if text_of(object_of(hook, "config"), "url") == address:
            yield hook
