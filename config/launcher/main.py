"""`manage.py up [--demo]`: an installation in the foreground."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from config import environment
from config.data_folder import restrict_permissions
from config.embedded_postgres import EmbeddedPostgresError, stop
from config.embedded_postgres.use import ServerLock
from config.launcher import web
from config.launcher.announcement import announce
from config.launcher.children import Child
from config.launcher.database import EmbeddedDatabase, take_over
from config.launcher.errors import LaunchError, no_room
from config.launcher.output import Output
from config.launcher.ownership import lock_data_directory
from config.launcher.preparation import fill_with_demo, prepare
from config.launcher.supervisor import Supervisor


def parser(prog: str = "manage.py up") -> argparse.ArgumentParser:
    description = "Run web, worker, beat and the embedded database in the foreground until Ctrl-C."
    created = argparse.ArgumentParser(prog=prog, description=description)
    created.add_argument("--demo", action="store_true", help="fill the installation with a made-up organisation")
    return created


def main(arguments: Sequence[str]) -> int:
    """Run an installation; returns the exit code."""
    options = parser().parse_args(arguments)
    try:
        try:
            _run(demo=options.demo)
        except OSError as problem:
            raise no_room(problem) from None
    except (environment.ConfigurationError, EmbeddedPostgresError, LaunchError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _run(*, demo: bool) -> None:
    cluster = environment.cluster()
    environment.check()
    has_demo = find_spec("demo") is not None
    if demo and not has_demo:
        raise LaunchError("This installation was built without the folder demo/, so it cannot play the demo.")
    server = ServerLock(cluster)
    owner = lock_data_directory(cluster.run_dir, cluster.data_dir)
    restrict_permissions(cluster)
    listener = web.listen(environment.host(), environment.port())
    output = Output(cluster.data_dir / "logs")
    lifeline, _held_by_supervisor_alone = os.pipe()
    was_demo = (cluster.data_dir / "demo").is_dir()
    supervisor = Supervisor(
        children=[
            *_children(lifeline=lifeline, owner=owner, listener=listener.fileno()),
            *(_demo_children(lifeline=lifeline, owner=owner) if has_demo and (demo or was_demo) else ()),
        ],
        output=output,
        ensure_running=EmbeddedDatabase(cluster, output).ensure_running,
    )
    supervisor.listen_for_signals()
    if environment.uses_embedded_database():
        take_over(server, say=output.say, is_stopping=lambda: supervisor.stop_requests > 0)
    try:
        prepared = prepare(supervisor, lifeline=lifeline, owner=owner)
        supervisor.run(until=web.answers)
        if not supervisor.stop_requests:
            announce(prepared, output)
        if demo and not supervisor.stop_requests:
            fill_with_demo(supervisor, lifeline=lifeline, owner=owner)
        supervisor.run()
    finally:
        output.say("Stopping.")
        supervisor.stop()
        if environment.uses_embedded_database():
            stop(cluster)
        server.close()
    output.say("Stopped.")


def _children(*, lifeline: int, owner: int, listener: int) -> list[Child]:
    """Web, worker and beat; all inherit the lifeline and the data directory lock, web also the socket."""
    module = ("-m", "config.launcher.child", "--lifeline", str(lifeline))
    return [
        Child("web", (*module, "--listener", str(listener), "web"), (lifeline, owner, listener)),
        Child("worker", (*module, "worker"), (lifeline, owner)),
        Child("beat", (*module, "beat"), (lifeline, owner)),
    ]


def _demo_children(*, lifeline: int, owner: int) -> list[Child]:
    """The simulated tools that the demo organisation is connected to."""
    module = ("-m", "config.launcher.child", "--lifeline", str(lifeline))
    return [Child("tools", (*module, "tools"), (lifeline, owner))]
