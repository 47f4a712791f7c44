"""`manage.py up [--demo]`: an installation in the foreground."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from config import environment
from config.data_folder import restrict_permissions
from config.embedded_postgres import EmbeddedPostgresError, stop
from config.embedded_postgres.use import ServerLock
from config.launcher import web
from config.launcher.children import Child
from config.launcher.database import EmbeddedDatabase, take_over
from config.launcher.errors import LaunchError, no_room
from config.launcher.output import Output
from config.launcher.ownership import lock_data_directory
from config.launcher.supervisor import Supervisor


def main(arguments: Sequence[str]) -> int:
    """Run an installation; returns the exit code."""
    description = "Run web, worker, beat and the embedded database in the foreground until Ctrl-C."
    parser = argparse.ArgumentParser(prog="manage.py up", description=description)
    parser.add_argument("--demo", action="store_true", help="fill the installation with a made-up organisation")
    parser.add_argument("--flavour", choices=_flavours(), help="fill it with this kind of demo, as of manage.py demo")
    options = parser.parse_args(arguments)
    try:
        try:
            _run(demo=options.demo or options.flavour is not None, flavour=options.flavour)
        except OSError as problem:
            raise no_room(problem) from None
    except (environment.ConfigurationError, EmbeddedPostgresError, LaunchError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _flavours() -> Sequence[str] | None:
    """The demo's kinds; None if the installation was built without the demo."""
    if find_spec("demo") is None:
        return None
    from demo.plan.stories import Flavour

    return [flavour.value for flavour in Flavour]


def _run(*, demo: bool, flavour: str | None) -> None:
    cluster = environment.cluster()
    environment.check()
    has_demo = find_spec("demo") is not None
    if demo and not has_demo:
        raise LaunchError("This installation was built without the folder demo/, so it cannot play the demo.")
    server = ServerLock(cluster)
    lock = lock_data_directory(cluster.run_dir, cluster.data_dir)
    restrict_permissions(cluster)
    listener = web.listen(environment.host(), environment.port())
    output = Output(cluster.data_dir / "logs")
    lifeline, _held_by_supervisor_alone = os.pipe()
    held = {"lifeline": lifeline, "lock": lock}  # by all
    children = [Child("web", {**held, "listener": listener.fileno()}), Child("worker", held), Child("beat", held)]
    if has_demo and (demo or (cluster.data_dir / "demo").is_dir()):
        children.append(Child("tools", held))  # simulated, which the demo organisation is connected to
    supervisor = Supervisor(children, output, EmbeddedDatabase(cluster, output).ensure_running)
    supervisor.listen_for_signals()
    if environment.uses_embedded_database():
        take_over(server, say=output.say, is_stopping=lambda: supervisor.stop_requests > 0)
    try:
        prepared = _prepare(supervisor, held)
        supervisor.run(until=web.answers)
        if not supervisor.stop_requests:
            _announce(prepared, output)
        if demo and not supervisor.stop_requests:
            supervisor.start_errand(Child("demo", held, {"flavour": flavour} if flavour else {}))  # in parallel
        supervisor.run()
    finally:
        output.say("Stopping.")
        supervisor.stop()
        if environment.uses_embedded_database():
            stop(cluster)
        server.close()
    output.say("Stopped.")


def _prepare(supervisor: Supervisor, held: Mapping[str, int]) -> dict[str, Any]:
    """Run the preparation before the children start; returns what to announce, nothing if a stop was requested.

    Raises LaunchError with the message of the failed step.
    """
    with tempfile.TemporaryFile() as answer:
        supervisor.start_errand(Child("prepare", {**held, "answer": answer.fileno()}))
        supervisor.wait_for_errand()
        if supervisor.stop_requests:
            return {}
        answer.seek(0)
        written = answer.read()
    if not written:
        raise LaunchError("The preparation broke off: see above.")
    document: dict[str, Any] = json.loads(written)
    if problem := document.get("problem"):
        raise LaunchError(problem)
    return document


def _announce(prepared: Mapping[str, Any], output: Output) -> None:
    """Print URL, sign-ins and ingest token; only the URL with JSON logs, which must not hold secrets."""
    address = environment.base_url()
    output.say(f"Headway answers at {address}/")
    if environment.log_format() == "json":
        return
    lines = ["", f"  Open            {address}/insights/ai/", ""]
    for sign_in in prepared.get("sign_ins", []):
        lines.append(f"  Sign in as      {sign_in['name']}   password  {sign_in['password']}   ({sign_in['role']})")
    if token := prepared.get("ingest_token"):
        lines.append(f"  Ingest token    {token}")
    lines += ["", "  Ctrl-C stops everything; the data is kept.", ""]
    print("\n".join(lines), flush=True)
