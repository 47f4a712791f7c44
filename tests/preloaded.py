"""Modules that the fork server preloads: see tests/forked.py.  Must not open connections or threads."""

from __future__ import annotations

import gc
import os
from importlib import import_module

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from config.schedule import TASK_MODULES  # noqa: E402

for module in (
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.concurrency.thread",
    "config.urls",
    "django.core.handlers.wsgi",
    "django_celery_beat.schedulers",
    "waitress.server",
    *TASK_MODULES,
):
    import_module(module)
gc.collect()
gc.freeze()  # what is loaded stays, and stays shared
