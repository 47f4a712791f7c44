"""Reads environment variables, with generated defaults in the data directory.

This module imports no Django, so that the launcher can read it before settings exist.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from config.embedded_postgres import Cluster
from config.embedded_postgres.cluster import SECONDS_TO_CONNECT
from config.embedded_postgres.server import SERVER_SETTINGS

PROJECT_DIR = Path(__file__).resolve().parent.parent
FILE_BROKER = "headway-files://"  # see config/broker.py
ENGINE = "config.postgresql"
# Detects a lost machine or network after half a minute.  A stopped server process still acknowledges data: see
# config/database_watch.py.
LOST_CONNECTION = {
    **{"keepalives_idle": "15", "keepalives_interval": "5", "keepalives_count": "3"},
    "tcp_user_timeout": "30000",  # milliseconds
}
# With PostgreSQL's own defaults, computing the figures of many windows takes three times as long.
SESSION_SETTINGS = " ".join(
    f"-c {name}={SERVER_SETTINGS[name]}"
    for name in ("jit", "work_mem", "hash_mem_multiplier", "random_page_cost", "parallel_setup_cost")
)
MAIL_PORTS = {"smtp": 587, "smtps": 465}
LOG_FORMATS = ("text", "json")
LONGEST_RAW_EVENT_DAYS = 3650
MOST_PROXIES = 9
ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104  # compared with, not bound to

Read = TypeVar("Read", bound=Callable[[], object])
_CHECKED: list[Callable[[], object]] = []


class ConfigurationError(ValueError):
    """An environment variable has an invalid value; the message names it and gives an example."""


def checked(read: Read) -> Read:
    """Registers a variable's reader with `check`, so that an invalid value prevents the start."""
    _CHECKED.append(read)
    return read


@dataclass(frozen=True)
class MailServer:
    """The outgoing mail server; an empty host means that there is none."""

    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    encrypted: str = ""  # "ssl", or "starttls": a password does not travel in the clear
    sender: str = "headway@localhost"


def data_dir() -> Path:
    configured = os.environ.get("HEADWAY_DATA_DIR", "").strip()
    return Path(configured).expanduser().resolve() if configured else PROJECT_DIR / ".headway"


def cluster() -> Cluster:
    """The embedded database of this installation; used while DATABASE_URL is unset."""
    return Cluster(data_dir())


def uses_embedded_database() -> bool:
    return not os.environ.get("DATABASE_URL")


@checked
def database_parameters() -> dict[str, object]:
    """Django's DATABASES["default"], from DATABASE_URL or for the embedded server.

    Raises ConfigurationError if DATABASE_URL is not a PostgreSQL URL.
    """
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        return {"ENGINE": ENGINE, **cluster().parameters()}
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ConfigurationError("DATABASE_URL must start with postgresql:// — Headway runs on PostgreSQL only.")
    defaults = {"connect_timeout": SECONDS_TO_CONNECT, "options": SESSION_SETTINGS, **LOST_CONNECTION}
    options = {**defaults, **dict(parse_qsl(parts.query))}
    try:
        port_in_url = parts.port
    except ValueError:
        raise ConfigurationError("DATABASE_URL must have a number as its port.") from None
    return {
        "ENGINE": ENGINE,
        "NAME": unquote(parts.path.lstrip("/")) or "headway",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", None) or parts.hostname or "",
        "PORT": str(port_in_url or options.pop("port", "")),
        "OPTIONS": options,
    }


def check() -> None:
    """Validate all variables; raises ConfigurationError for the first invalid one."""
    for read in _CHECKED:
        read()


@checked
def time_zone() -> str:
    """The organisation's zone, by its IANA name."""
    name = os.environ.get("HEADWAY_TIME_ZONE") or "UTC"
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ConfigurationError(f"HEADWAY_TIME_ZONE must be a zone such as Europe/Berlin, and is {name!r}.") from None
    return name


@checked
def fiscal_year_start_month() -> int:
    """The month in which the organisation's first quarter begins."""
    value = os.environ.get("HEADWAY_FISCAL_YEAR_START_MONTH") or "1"
    if value not in {str(month) for month in range(1, 13)}:
        raise ConfigurationError(f"HEADWAY_FISCAL_YEAR_START_MONTH must be a month from 1 to 12, and is {value!r}.")
    return int(value)


@checked
def raw_event_days() -> int:
    """Retention of raw telemetry in days after it was received."""
    value = os.environ.get("HEADWAY_RAW_EVENT_DAYS") or "30"
    if not value.isdecimal() or not 1 <= int(value) <= LONGEST_RAW_EVENT_DAYS:
        raise ConfigurationError(
            f"HEADWAY_RAW_EVENT_DAYS must be a number of days from 1 to {LONGEST_RAW_EVENT_DAYS}, and is {value!r}."
        )
    return int(value)


@checked
def patience_seconds() -> int:
    """The time to wait at start for the database and the broker."""
    value = os.environ.get("HEADWAY_WAIT_SECONDS") or "60"
    if not value.isdecimal():
        raise ConfigurationError(f"HEADWAY_WAIT_SECONDS must be a number of seconds, and is {value!r}.")
    return int(value)


@checked
def providers_may_be_private() -> bool:
    """Whether connections may target private addresses and this machine, for self-hosted providers."""
    value = os.environ.get("HEADWAY_PRIVATE_PROVIDERS") or "yes"
    if value not in ("yes", "no"):
        raise ConfigurationError(f"HEADWAY_PRIVATE_PROVIDERS must be yes or no, and is {value!r}.")
    return value == "yes"


@checked
def trusted_proxies() -> int:
    """Number of proxies in front; each appends its caller's address to X-Forwarded-For."""
    value = os.environ.get("HEADWAY_TRUSTED_PROXIES") or "0"
    if value not in {str(number) for number in range(MOST_PROXIES + 1)}:
        raise ConfigurationError(
            f"HEADWAY_TRUSTED_PROXIES must be the number of proxies in front, 0 to {MOST_PROXIES}, and is {value!r}."
        )
    return int(value)


def secret_key() -> str:
    """HEADWAY_SECRET_KEY, or a key generated once and stored in the data directory."""
    configured = os.environ.get("HEADWAY_SECRET_KEY")
    if configured:
        return configured
    return generated_secret("secret_key")


def old_secret_keys() -> list[str]:
    """HEADWAY_OLD_SECRET_KEYS, separated by spaces: still accepted for verifying and decrypting."""
    return os.environ.get("HEADWAY_OLD_SECRET_KEYS", "").split()


def generated_secret(name: str) -> str:
    """A random secret of that name, created once in the data directory with mode 0600."""
    path = data_dir() / "secrets" / name
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent) as file:  # made with mode 0600
            file.write(secrets.token_urlsafe(50))
            file.flush()
            with contextlib.suppress(FileExistsError):  # another process was faster; its value wins
                os.link(file.name, path)
    return path.read_text().strip()


def broker_url() -> str:
    return os.environ.get("CELERY_BROKER_URL") or FILE_BROKER


def uses_file_broker() -> bool:
    return broker_url() == FILE_BROKER


@checked
def base_url() -> str:
    """The public URL, used in output, agents' settings and mails."""
    configured = os.environ.get("HEADWAY_BASE_URL", "").rstrip("/")
    if configured:
        if not configured.startswith(("http://", "https://")):
            raise ConfigurationError(
                f"HEADWAY_BASE_URL must be an address such as https://headway.example.com, and is {configured!r}."
            )
        return configured
    name = socket.gethostname() if host() in ANY_ADDRESS else host()
    return f"http://{f'[{name}]' if ':' in name else name}:{port()}"


@checked
def mail_server() -> MailServer:
    """The mail server of HEADWAY_EMAIL_URL; without it the host is empty and no mail is sent.

    Raises ConfigurationError for an invalid URL.
    """
    url = os.environ.get("HEADWAY_EMAIL_URL", "").strip()
    if not url:
        return MailServer()
    parts = urlsplit(url)
    if parts.scheme not in MAIL_PORTS or not parts.hostname:
        raise ConfigurationError(
            "HEADWAY_EMAIL_URL must be like smtp://user:password@mail.example.com:587, or smtps://"
        )
    try:
        port_in_url = parts.port
    except ValueError:
        raise ConfigurationError("HEADWAY_EMAIL_URL must have a number as its port.") from None
    return MailServer(
        host=parts.hostname,
        port=port_in_url or MAIL_PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        encrypted="ssl" if parts.scheme == "smtps" else "starttls" if parts.username else "",
        sender=os.environ.get("HEADWAY_EMAIL_FROM", "").strip() or f"headway@{parts.hostname}",
    )


def host() -> str:
    """The address to listen on."""
    return os.environ.get("HEADWAY_HOST") or "127.0.0.1"


@checked
def port() -> int:
    value = os.environ.get("HEADWAY_PORT") or "8000"
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise ConfigurationError(f"HEADWAY_PORT must be a number from 1 to 65535, and is {value!r}.")
    return int(value)


@checked
def log_format() -> str:
    """text or json."""
    value = os.environ.get("HEADWAY_LOG_FORMAT") or "text"
    if value not in LOG_FORMATS:
        raise ConfigurationError(f"HEADWAY_LOG_FORMAT must be text or json, and is {value!r}.")
    return value
