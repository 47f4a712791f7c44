"""Column types that Django lacks: ranges of time and days, and encrypted secrets."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models


class TimeRangesField(models.Field[Any, Any]):
    """Disjoint ranges of time, in order: PostgreSQL's tstzmultirange.  Written by SQL only."""

    description = "Disjoint ranges of time"

    def db_type(self, connection: Any) -> str:
        return "tstzmultirange"


class DayRangesField(models.Field[Any, Any]):
    """Disjoint ranges of days, in order: PostgreSQL's datemultirange.  Written by SQL only."""

    description = "Disjoint ranges of days"

    def db_type(self, connection: Any) -> str:
        return "datemultirange"


class UnreadableSecretsError(Exception):
    """The secrets were encrypted with a lost key."""

    def __str__(self) -> str:
        return (
            "The stored secrets cannot be read: they were encrypted under another HEADWAY_SECRET_KEY. "
            "Name the earlier key in HEADWAY_OLD_SECRET_KEYS, or enter the secrets again."
        )


class EncryptedField(models.Field[dict[str, str], dict[str, str]]):
    """Name → secret, encrypted with a key derived from HEADWAY_SECRET_KEY; old keys can still decrypt.

    If the key is lost, the value is `UnreadableSecrets`, so that lists and forms of connections still work.
    """

    description = "Encrypted secrets"

    def db_type(self, connection: Any) -> str:
        return "text"

    def get_prep_value(self, value: dict[str, str] | None) -> str:
        if isinstance(value, UnreadableSecrets):
            return value.stored
        return _keys().encrypt(json.dumps(value or {}).encode()).decode() if value else ""

    def from_db_value(self, value: str, expression: object, connection: object) -> dict[str, str]:
        if not value:
            return {}
        try:
            secrets: dict[str, str] = json.loads(_keys().decrypt(value.encode()))
        except InvalidToken:
            return UnreadableSecrets(value)
        return secrets


class UnreadableSecrets(dict[str, str]):
    """Placeholder for secrets whose key is lost; access raises UnreadableSecretsError."""

    def __init__(self, stored: str) -> None:
        super().__init__()
        self.stored = stored

    def __bool__(self) -> bool:
        return True  # secrets exist, and saving must not lose them

    def __getitem__(self, name: str) -> str:
        raise UnreadableSecretsError

    def get(self, name: str, default: Any = None) -> Any:
        raise UnreadableSecretsError


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(_derived(key)) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _derived(key: str) -> bytes:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"headway connection secrets").derive(key.encode())
    return base64.urlsafe_b64encode(derived)
