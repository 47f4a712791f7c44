"""Preparation before the children start: broker, schema, static files, schedule, first sign-in and token."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from config import environment
from config.launcher.errors import LaunchError, no_room


def prepare_installation(answer: int) -> None:
    """Write a JSON document to the descriptor: what to announce, or an error under "problem"."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        document = _prepare()
    except (environment.ConfigurationError, LaunchError) as problem:
        document = {"problem": str(problem)}
    except OSError as problem:
        document = {"problem": str(no_room(problem))}
    with os.fdopen(answer, "w") as file:
        json.dump(document, file)


def _prepare() -> dict[str, Any]:
    django.setup()

    from config.broker import clear_leftovers
    from config.launcher.credentials import ingest_token, sign_ins
    from config.launcher.first_steps import collect_changed
    from config.launcher.schema import migrate_schema
    from config.launcher.services import wait_for_broker, wait_for_database
    from config.schedule import seed_schedule

    clear_leftovers(environment.data_dir())
    wait_for_broker()
    wait_for_database()
    migrate_schema()
    collect_changed()
    seed_schedule()
    return {"sign_ins": sign_ins(), "ingest_token": ingest_token()}


def collect_changed() -> None:
    """Update STATIC_ROOT from the sources; file names contain a hash, so older pages keep working."""
    mark = settings.STATIC_ROOT / ".collected"
    fingerprint = _fingerprint()
    if mark.exists() and mark.read_text() == fingerprint:
        return
    call_command("collectstatic", interactive=False, verbosity=0)
    mark.write_text(fingerprint)


def _fingerprint() -> str:
    """A digest of every source file's path, size and modification time."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            properties = (storage.path(name), storage.size(name), storage.get_modified_time(name).timestamp())
            digest.update(repr(properties).encode())
    return digest.hexdigest()
