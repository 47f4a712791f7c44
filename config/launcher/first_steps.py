"""Preparation before the children start: broker, schema, static files, schedule, first sign-in and token."""

from __future__ import annotations

import json
import os
from typing import Any

import django

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
    from config.launcher.schema import migrate_schema
    from config.launcher.services import wait_for_broker, wait_for_database
    from config.launcher.static_files import collect_changed
    from config.schedule import seed_schedule

    clear_leftovers(environment.data_dir())
    wait_for_broker()
    wait_for_database()
    migrate_schema()
    collect_changed()
    seed_schedule()
    return {"sign_ins": sign_ins(), "ingest_token": ingest_token()}
