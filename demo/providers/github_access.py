"""Access to the simulated GitHub: personal tokens, an App with its installation tokens, and the quota.

A token that lacks a permission gets GitHub's response: 404 for a repository that it cannot see, 403 with the required
permission in a header for everything else.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from demo.providers.faults import Answer, Request

INSTALLATION_TOKEN_LIFE = timedelta(hours=1)
_LONGEST_JWT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Token:
    """`lacks` are permissions such as deployments; `repositories` those it can see, None all."""

    secret: str
    login: str
    lacks: frozenset[str] = frozenset()
    repositories: frozenset[str] | None = None
    lacks_at: Mapping[str, frozenset[str]] = field(default_factory=dict)  # repository → permissions
    expires_at: datetime | None = None
    is_installation: bool = False

    def may(self, permission: str, repository: str = "") -> bool:
        """Whether it has the permission, for that repository if one is named."""
        return permission not in self.lacks and permission not in self.lacks_at.get(repository, ())

    @property
    def described(self) -> str:
        """The name of the token's kind in GitHub's refusals."""
        return "integration" if self.is_installation else "personal access token"


@dataclass(frozen=True, slots=True)
class App:
    """A GitHub App with one installation; `public_key` checks what it signs (PEM)."""

    id: int
    slug: str
    installation: int
    public_key: bytes
    lacks: frozenset[str] = frozenset()
    repositories: frozenset[str] | None = None


class Quota:
    """A limit of requests in a window; 304 responses are free."""

    def __init__(self, limit: int, window: timedelta) -> None:
        self._limit, self._window = limit, window.total_seconds()
        self._used, self._reset_at = 0, time.time() + self._window
        self._lock = threading.Lock()

    def take(self, points: int = 1) -> bool:
        """Whether there was as much left; it is taken then."""
        with self._lock:
            if time.time() >= self._reset_at:
                self._used, self._reset_at = 0, time.time() + self._window
            if self._used + points > self._limit:
                return False
            self._used += points
            return True

    def give_back(self, points: int = 1) -> None:
        with self._lock:
            self._used = max(0, self._used - points)

    def headers(self, resource: str) -> dict[str, str]:
        return {
            "x-ratelimit-limit": str(self._limit),
            "x-ratelimit-remaining": str(self.remaining),
            "x-ratelimit-used": str(self._used),
            "x-ratelimit-reset": str(int(self._reset_at)),
            "x-ratelimit-resource": resource,
        }

    @property
    def remaining(self) -> int:
        return self._limit - self._used

    @property
    def limit(self) -> int:
        return self._limit

    @property
    def used(self) -> int:
        return self._used

    @property
    def reset_at(self) -> datetime:
        return datetime.fromtimestamp(self._reset_at, UTC)


class Access:
    """The tokens that the server takes.  `app` may be None: then nobody gets installation tokens."""

    def __init__(self, tokens: list[Token], app: App | None = None) -> None:
        self.app = app
        self._tokens = {token.secret: token for token in tokens}
        self._lock = threading.Lock()

    def token_of(self, request: Request) -> Token | None:
        """The token that signs the request; None where it is unknown, revoked or expired."""
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        token = self._tokens.get(secret) if scheme.lower() in ("bearer", "token") else None
        if token is not None and token.expires_at is not None and token.expires_at <= datetime.now(UTC):
            return None
        return token

    def give(self, token: Token) -> None:
        with self._lock:
            self._tokens[token.secret] = token

    def revoke(self, secret: str) -> None:
        with self._lock:
            self._tokens.pop(secret, None)

    def app_signs(self, request: Request) -> bool:
        """Whether the request carries a JSON Web Token that the App signed, and that holds now."""
        _, _, jwt = request.headers.get("authorization", "").partition(" ")
        return self.app is not None and _is_signed_by(self.app, jwt)

    def installation_token(self, installation: int, life: timedelta = INSTALLATION_TOKEN_LIFE) -> Answer:
        """The answer to POST /app/installations/{id}/access_tokens."""
        if self.app is None or installation != self.app.installation:
            return Answer.of({"message": "Not Found", "status": "404"}, status=404)
        expires_at = datetime.now(UTC) + life
        token = Token(
            secret=f"ghs_{secrets.token_hex(18)}",
            login=f"{self.app.slug}[bot]",
            lacks=self.app.lacks,
            repositories=self.app.repositories,
            expires_at=expires_at,
            is_installation=True,
        )
        self.give(token)
        return Answer.of(
            {
                "token": token.secret,
                "expires_at": expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "permissions": {name: "read" for name in PERMISSIONS if name not in self.app.lacks},
                "repository_selection": "all" if self.app.repositories is None else "selected",
            },
            status=201,
        )


PERMISSIONS = (
    "metadata",
    "contents",
    "pull_requests",
    "issues",
    "actions",
    "deployments",
    "repository_hooks",
    "security_events",
)


def _is_signed_by(app: App, jwt: str) -> bool:
    try:
        signed, _, signature = jwt.rpartition(".")
        header, claims = (json.loads(_decoded(part)) for part in signed.split("."))
        key = serialization.load_pem_public_key(app.public_key)
        if not isinstance(key, rsa.RSAPublicKey) or header["alg"] != "RS256":
            return False
        key.verify(_decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        now = time.time()
        lives = claims["iat"] <= now + 60 and now < claims["exp"] <= now + _LONGEST_JWT.total_seconds() + 60
        return lives and str(claims["iss"]) == str(app.id)
    except (ValueError, KeyError, TypeError, InvalidSignature):
        return False


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
