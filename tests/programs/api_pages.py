"""The language of the program's API tests: requests with a session, or with a token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orgtree.access.api_tokens import create_api_token
from orgtree.models import TokenScope
from tests.personas import Persona, create_user

MOST_QUERIES = 15


def got(client: Client, address: str, status: int = 200, **parameters: Any) -> Any:
    """The JSON that is answered."""
    answer = client.get(address, parameters)
    assert answer.status_code == status, answer.content
    return answer.json()


def got_of_few_queries(client: Client, address: str, **parameters: Any) -> Any:
    """As `got`, once figures are kept and what is read once for all is known."""
    got(client, address, **parameters)
    with CaptureQueriesContext(connection) as queries:
        document = got(client, address, **parameters)
    assert len(queries) <= MOST_QUERIES, (address, [str(query["sql"])[:90] for query in queries.captured_queries])
    return document


def sent(client: Client, method: str, address: str, fields: object, status: int = 200) -> Any:
    answer = client.generic(method, address, json.dumps(fields), content_type="application/json")
    assert answer.status_code == status, answer.content
    return answer.json()


def problem(document: Mapping[str, Any]) -> tuple[str | None, str]:
    """The parameter that is to blame, and why."""
    return document["error"]["parameter"], document["error"]["message"]


def bearer(persona: Persona | None, scope: TokenScope) -> Client:
    user = create_user(persona) if persona else None
    _, secret = create_api_token("a program", user=user, scope=scope, expires_at=None)
    return Client(headers={"Authorization": f"Bearer {secret}"})
