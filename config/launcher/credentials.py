"""The first sign-in and ingest token: generated once, readable by the operator, shown at each start."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import TypedDict

from django.conf import settings
from django.contrib.auth import get_user_model

from integrations.telemetry.otlp.ingest_tokens import create_ingest_token, find_ingest_token

FIRST_ADMIN = "admin@example.com"
FIRST_TOKEN = "First token"  # noqa: S105  # its name, not the token


class SignIn(TypedDict):
    name: str
    password: str
    role: str


def sign_ins() -> list[SignIn]:
    """Accounts with generated passwords that are still unchanged.

    Creates the first admin if the installation has no account.
    """
    users = get_user_model().objects
    file = _SecretFile(settings.DATA_DIR / "secrets" / "sign_ins.json")
    if not users.exists():
        password = secrets.token_urlsafe(12)
        users.create_superuser(username="admin", email=FIRST_ADMIN, password=password)
        file.write(json.dumps([{"name": FIRST_ADMIN, "password": password, "role": "admin"}]))
    return [sign_in for sign_in in json.loads(file.read() or "[]") if _works(sign_in)]


def ingest_token() -> str | None:
    """The ingest token created at the first start; None once revoked."""
    file = _SecretFile(settings.DATA_DIR / "secrets" / "ingest_token")
    token = file.read()
    if token is None:
        _, token = create_ingest_token(FIRST_TOKEN)
        file.write(token)
    return token if find_ingest_token(token) is not None else None


class _SecretFile:
    """A file readable only by the operator's account."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> str | None:
        return self._path.read_text() if self._path.exists() else None

    def write(self, text: str) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = self._path.with_suffix(".unfinished")
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        unfinished.replace(self._path)


def _works(sign_in: SignIn) -> bool:
    user = get_user_model().objects.filter(email=sign_in["name"], is_active=True).first()
    return user is not None and user.check_password(sign_in["password"])
