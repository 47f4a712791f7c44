"""One process of an installation: `python -m config.launcher.child web|worker|beat|prepare|demo|tools`.

Runs the web server or Celery in this process, without console scripts, whose shebang breaks in long paths.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import threading
import time
import warnings
from typing import NoReturn

from config.launcher.first_steps import prepare_installation

WORKER_THREADS = 4
GRACE_SECONDS = 10  # to end in, once the supervisor is gone


def run_web(listener: int | None) -> None:
    from config.launcher.web_server import serve

    serve(listener)


def run_worker() -> None:
    from celery.signals import task_postrun

    from config.celery import app
    from config.health import note_finished_task

    task_postrun.connect(note_finished_task)
    # Celery warns root of messages that are code (pickle); settings accept JSON only.
    warnings.filterwarnings("ignore", message="You're running the worker with superuser")
    alone = ("--without-gossip", "--without-mingle", "--without-heartbeat")  # a sweep finds what a lost worker left
    app.start(["--quiet", "worker", "--pool=threads", f"--concurrency={WORKER_THREADS}", "--loglevel=INFO", *alone])


def run_beat() -> None:
    from config.celery import app

    app.start(["--quiet", "beat", "--scheduler=config.beat:Scheduler", "--loglevel=INFO", "--pidfile="])


def run_demo(flavour: str | None) -> None:
    from django.core.management import execute_from_command_line

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    execute_from_command_line(["manage.py", "demo", *([f"--flavour={flavour}"] if flavour else [])])


def run_simulated_tools() -> None:
    from config import environment
    from demo.providers.serve import FILE, serve

    os.nice(5)  # pages come first
    serve(environment.data_dir() / FILE)


def end_with_supervisor(lifeline: int) -> None:
    """Send this process SIGTERM when its supervisor is gone, even if it was killed.

    Children inherit a pipe whose write end only the supervisor holds: when it dies, the kernel closes that end and
    reading returns EOF.
    """

    def wait_for_the_end() -> NoReturn:
        os.read(lifeline, 1)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE_SECONDS)
        os._exit(1)

    os.set_inheritable(lifeline, False)
    threading.Thread(target=wait_for_the_end, name="lifeline", daemon=True).start()


def main() -> None:
    parser = argparse.ArgumentParser(prog="config.launcher.child")
    parser.add_argument(
        "--lifeline", type=int, help="descriptor of the pipe whose end means that the supervisor is gone"
    )
    parser.add_argument("--lock", type=int, help="descriptor of the data directory's lock, which is held to the end")
    parser.add_argument("--listener", type=int, help="descriptor of the listening socket, for web")
    parser.add_argument("--answer", type=int, help="descriptor of the file for the result, for prepare")
    parser.add_argument("--flavour", help="the kind of demo, for demo")
    parser.add_argument("name", choices=("web", "worker", "beat", "prepare", "demo", "tools"))
    options = parser.parse_args()
    multiprocessing.current_process().name = options.name  # what the JSON log calls the process
    os.environ["CELERY_SKIP_CHECKS"] = "1"  # they load every page into worker and beat; web and commands run them
    if options.lifeline is not None:
        end_with_supervisor(options.lifeline)
    match options.name:
        case "web":
            run_web(options.listener)
        case "worker":
            run_worker()
        case "beat":
            run_beat()
        case "prepare":
            prepare_installation(options.answer)
        case "demo":
            run_demo(options.flavour)
        case "tools":
            run_simulated_tools()


if __name__ == "__main__":
    main()
