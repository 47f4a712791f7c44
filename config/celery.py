"""The Celery application and its task modules."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

TASK_MODULES = (
    "orgtree.tasks",
    "integrations.telemetry.tasks",
    "integrations.sync.git.tasks",
    "integrations.delivery.tasks",
    "integrations.delivery.agreements.apply",
    "integrations.delivery.rules",
    "integrations.sync.tasks",
    "integrations.webhooks.tasks",
    "integrations.code.attribution.tasks",
    "integrations.silence.watch",
    "insights.columns.tasks",
    "insights.figure_records.tasks",
    "programs.tasks",
)

app = Celery("headway")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.imports = TASK_MODULES
app.set_default()  # the current app is thread-local; web server threads fall back to the default
