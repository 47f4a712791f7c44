"""Where the settings come from: environment variables, and the data directory that keeps what nobody set.

This module imports no Django, so that the launcher can read it before settings exist.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from config.embedded_postgres import Cluster

PROJECT_DIR = Path(__file__).resolve().parent.parent


def data_dir() -> Path:
    configured = os.environ.get("HEADWAY_DATA_DIR", "").strip()
    return Path(configured).expanduser().resolve() if configured else PROJECT_DIR / ".headway"


def cluster() -> Cluster:
    """The embedded database of this installation; meaningful while DATABASE_URL is unset."""
    return Cluster(data_dir())


def uses_embedded_database() -> bool:
    return not os.environ.get("DATABASE_URL")


def database_parameters() -> dict[str, object]:
    """Django's DATABASES["default"], from DATABASE_URL or for the embedded server.

    Raises ValueError, with a sentence for the operator, where DATABASE_URL is not a PostgreSQL address.
    """
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        return {"ENGINE": "django.db.backends.postgresql", **cluster().parameters()}
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ValueError("DATABASE_URL must start with postgresql:// — Headway runs on PostgreSQL only.")
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "headway",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", None) or parts.hostname or "",
        "PORT": str(parts.port or options.pop("port", "")),
        "OPTIONS": options,
    }


def secret_key() -> str:
    """HEADWAY_SECRET_KEY, or a key that is made once and kept in the data directory."""
    configured = os.environ.get("HEADWAY_SECRET_KEY")
    if configured:
        return configured
    return kept_secret("secret_key")


def kept_secret(name: str) -> str:
    """A random secret of that name, created once in the data directory with mode 0600."""
    path = data_dir() / "secrets" / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(value := secrets.token_urlsafe(50))
    return value


def broker_url() -> str:
    return os.environ.get("CELERY_BROKER_URL") or "filesystem://"


def base_url() -> str:
    """The address that people and agents use; printed, pasted into agents' settings and put into mails."""
    configured = os.environ.get("HEADWAY_BASE_URL", "").rstrip("/")
    return configured or f"http://{host()}:{port()}"


def host() -> str:
    return os.environ.get("HEADWAY_HOST") or "127.0.0.1"


def port() -> int:
    return int(os.environ.get("HEADWAY_PORT") or 8000)
