"""One process of an installation: `python -m config.launcher.child web|worker|beat`.

Runs gunicorn or Celery in this very process, without their console scripts, whose first line breaks in long paths.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable

from config.launcher.lifeline import end_with_supervisor

WORKER_THREADS = 4


def run_web() -> None:
    from gunicorn.app.wsgiapp import WSGIApplication

    sys.argv = ["gunicorn", "--config", "python:config.gunicorn_config", "config.wsgi:application"]
    WSGIApplication("%(prog)s [OPTIONS] [APP_MODULE]", prog="gunicorn").run()


def run_worker() -> None:
    from config.celery import app

    # Celery warns root of messages that are code (pickle); settings accept JSON only.
    warnings.filterwarnings("ignore", message="You're running the worker with superuser")
    alone = ("--without-gossip", "--without-mingle", "--without-heartbeat")  # a sweep finds what a lost worker left
    app.start(["--quiet", "worker", "--pool=threads", f"--concurrency={WORKER_THREADS}", "--loglevel=INFO", *alone])


def run_beat() -> None:
    from config.celery import app

    scheduler = "django_celery_beat.schedulers:DatabaseScheduler"
    app.start(["--quiet", "beat", f"--scheduler={scheduler}", "--loglevel=INFO", "--pidfile="])


CHILDREN: dict[str, Callable[[], None]] = {"web": run_web, "worker": run_worker, "beat": run_beat}


def main() -> None:
    name = sys.argv[1]
    os.environ["HEADWAY_PROCESS"] = name
    os.environ["CELERY_SKIP_CHECKS"] = "1"  # they load every page into worker and beat; web and commands run them
    end_with_supervisor()
    CHILDREN[name]()


if __name__ == "__main__":
    main()
