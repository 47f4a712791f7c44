"""The Celery application."""

import os

from celery import Celery

from config.schedule import TASK_MODULES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("headway")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.imports = TASK_MODULES
app.set_default()  # the current app is thread-local; web server threads fall back to the default
