"""The users that tests sign in as."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.test import Client


@dataclass(frozen=True)
class Persona:
    name: str
    is_admin: bool = False
    given_password: str = ""

    @property
    def email(self) -> str:
        return f"{self.name}@example.com"

    @property
    def password(self) -> str:
        return self.given_password or f"{self.name}-signs-in-for-a-test"


ADMIN = Persona("admin", is_admin=True)
MEMBER = Persona("ada")
OTHER_MEMBER = Persona("grace")
MANAGER = Persona("edith")
EXECUTIVE = Persona("mary")
AUDITOR = Persona("joan")
FINANCE = Persona("fiona")
PERSONAS = (ADMIN, MEMBER, OTHER_MEMBER, MANAGER, EXECUTIVE, AUDITOR)


def create_user(persona: Persona) -> User:
    """The account of that persona in the current database, created where it is missing."""
    known = User.objects.filter(username=persona.email).first()
    return known or User.objects.create(
        username=persona.email,
        email=persona.email,
        password=_hash_that_servers_know(persona.password),
        is_staff=persona.is_admin,
        is_superuser=persona.is_admin,
    )


def signed_in(persona: Persona) -> Client:
    """A Django test client with a session of the persona's account.

    Stored by itself: `force_login` writes a log entry and changes the session's key, in 17 statements, each time.
    """
    account = create_user(persona)
    client = Client()
    session = client.session
    session[SESSION_KEY] = str(account.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = account.get_session_auth_hash()
    session.save()
    return client


@cache
def _hash_that_servers_know(password: str) -> str:
    """Tests hash passwords cheaply in their own process; servers in others use the product's settings."""
    return make_password(password, hasher="pbkdf2_sha256")
