"""Ingest tokens: made by the command, recognised by their hash, noted when used."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from cachetools import TTLCache
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from integrations.models import IngestScope, IngestToken
from integrations.telemetry.otlp import ingest_tokens
from integrations.telemetry.otlp.ingest_tokens import (
    create_ingest_token,
    find_ingest_token,
    revoke_ingest_token,
    sender_of,
)

pytestmark = pytest.mark.django_db


def printed(*arguments: str) -> str:
    output = StringIO()
    call_command("create_ingest_token", *arguments, stdout=output)
    return output.getvalue()


def test_the_command_prints_the_token_and_nothing_else() -> None:
    secret = printed("laptops").strip()
    assert secret.startswith("hwi_")
    assert find_ingest_token(secret) == IngestToken.objects.get(name="laptops").pk


def test_the_command_prints_json() -> None:
    document = json.loads(printed("laptops", "--json"))
    assert find_ingest_token(document["token"]) == document["id"]
    assert document["name"] == "laptops"


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "nul\x00byte"])
def test_a_name_that_cannot_be_kept_is_refused(name: str) -> None:
    with pytest.raises(CommandError, match="1 to 100 characters"):
        printed(name)
    assert not IngestToken.objects.exists()


def test_the_secret_is_not_stored() -> None:
    token, secret = create_ingest_token("laptops")
    stored = IngestToken.objects.get(pk=token.pk)
    assert secret.encode() not in bytes(stored.digest)
    assert stored.hint == secret[-4:]


def test_a_known_token_costs_no_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    _, secret = create_ingest_token("laptops")
    sender_of(secret, IngestScope.TELEMETRY)
    with django_assert_num_queries(0):
        sender_of(secret, IngestScope.TELEMETRY)


def test_a_revoked_token_is_nobodys() -> None:
    token, secret = create_ingest_token("laptops")
    assert find_ingest_token(secret) == token.pk
    revoke_ingest_token(token)
    assert find_ingest_token(secret) is None


def test_its_last_use_moves_at_most_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_tokens, "_known", TTLCache(1, ttl=0))
    token, secret = create_ingest_token("laptops")

    def last_used_ago(ago: timedelta) -> bool:
        """Whether a use moves the time, when the last one is so long ago."""
        before = timezone.now() - ago
        IngestToken.objects.filter(pk=token.pk).update(last_used_at=before)
        sender_of(secret, IngestScope.TELEMETRY)
        return IngestToken.objects.get(pk=token.pk).last_used_at != before

    assert not last_used_ago(timedelta(seconds=30))
    assert last_used_ago(timedelta(seconds=90))
