"""The demo's sign-ins: one account per role."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from core.write_errors import FieldError
from orgtree.access.grants import give
from orgtree.models import Role


@dataclass(frozen=True, slots=True)
class DemoPersona:
    role: str
    full_name: str
    is_admin: bool = False

    @property
    def email(self) -> str:
        return f"{self.full_name.lower().replace(' ', '.')}@example.com"


PERSONAS = (
    DemoPersona("admin", "Ada Admin", is_admin=True),
    DemoPersona("executive", "Erin Executive"),
    DemoPersona("manager", "Maya Manager"),
    DemoPersona("member", "Max Member"),
    DemoPersona("finance", "Fay Finance"),
)


@dataclass(frozen=True, slots=True)
class SignIn:
    role: str
    email: str
    password: str


def open_demo_accounts() -> list[SignIn]:
    """Create missing accounts and roles of the personas, with the one password that they share; return the sign-ins.

    The password is generated once for an installation and stored, readable only by its owner, in the data directory.
    """
    password = _stored_password(settings.DATA_DIR / "secrets" / "demo_password")
    for persona in PERSONAS:
        user, created = User.objects.get_or_create(
            username=persona.email,
            defaults={"email": persona.email, "is_staff": persona.is_admin, "is_superuser": persona.is_admin},
        )
        if created or not user.check_password(password):
            user.first_name, user.last_name = persona.full_name.split()
            user.set_password(password)
            user.save()
    _grant_roles()
    return [SignIn(persona.role, persona.email, password) for persona in PERSONAS]


def _grant_roles() -> None:
    """Grant the other personas their roles; managers and members need no grant, because the trees define them."""
    accounts = {persona.role: User.objects.get(username=persona.email) for persona in PERSONAS}
    for role, reason in ((Role.EXECUTIVE, "Leads the organisation"), (Role.FINANCE, "Reports to the auditors")):
        with suppress(FieldError):  # held already
            give(accounts[role], role, first_day=timezone.localdate(), reason=reason, by=accounts["admin"])


def _stored_password(path: Path) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(password := secrets.token_urlsafe(12))
    return password
