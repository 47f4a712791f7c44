"""Entry point of every hook, and the worker behind it.  Failures are logged, and never stop the agent or the commit."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from .ledger import Ledger, log, path_of, read_settings
from .payloads import OTHER, read_event
from .record import judge_commits, record_event, request_work, take_work
from .repository import find_repository, head
from .sessions import read_transcripts, read_transcripts_soon, transcripts_are_due

MOST_INPUT = 20_000_000  # bytes of a hook's input; a larger edit has no lines here
WAIT_VARIABLE = "HEADWAY_AGENT_WAIT"  # the worker runs before the hook ends, for tests


def main(arguments: Sequence[str]) -> int:
    """Run `agent NAME` with the payload on stdin, `git HOOK` in a repository, or `work`.  Always returns 0 and prints
    nothing.
    """
    try:
        if not os.path.exists(path_of("paused")):
            _run(arguments)
    except BaseException as problem:  # interrupts as well: we must not stop the agent's work
        log(f"hook {' '.join(arguments)}: {problem!r}")
    return 0


def _run(arguments: Sequence[str]) -> None:
    kind, name = arguments[0], arguments[1] if len(arguments) > 1 else ""
    if kind == "work":
        run_worker()
        return
    with Ledger() as ledger:
        if kind == "agent":
            content = sys.stdin.buffer.read(MOST_INPUT + 1)
            if len(content) > MOST_INPUT:
                log(f"{name}: an input of more than {MOST_INPUT} bytes was left out")
                return
            payload = json.loads(content or b"{}")
            event = read_event(name, payload) if isinstance(payload, dict) else None
            place = record_event(ledger, event) if event else None
            just_made = ""
            if event is not None and event.ends_turn:
                read_transcripts_soon(ledger)
            is_due = event is not None and event.phase == OTHER and transcripts_are_due(ledger, time.time())
        else:
            place = find_repository(os.getcwd())
            just_made = head(place) if place and name == "post-commit" else ""
            is_due = False
        if place is not None:
            request_work(ledger, place, just_made)
        elif not is_due:
            return
    if os.environ.get(WAIT_VARIABLE):
        run_worker()
    else:
        start_worker()


def start_worker() -> None:
    """Start the worker in a separate process, which outlives the agent's hook."""
    import subprocess  # most hooks do not need it

    command = [sys.executable, "-IS", path_of("hook.py"), "work"]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if sys.platform == "win32":
        flags = 0x00000008 | 0x00000200  # DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP
        subprocess.Popen(command, creationflags=flags, close_fds=True, cwd=path_of(), **quiet)  # type: ignore[call-overload]
    else:
        subprocess.Popen(command, start_new_session=True, close_fds=True, cwd=path_of(), **quiet)  # type: ignore[call-overload]


def run_worker() -> None:
    """Match commits and send what is queued, unless another worker is running, which checks again before it ends."""
    from .git_hooks import watch  # only the worker needs it
    from .upload import send_queue

    again = True
    while again:
        with alone(0) as is_alone:
            if not is_alone:
                return
            with Ledger() as ledger:
                while taken := take_work(ledger):
                    for place, just_made in taken:
                        try:
                            if read_settings().get("git_hooks", True):
                                watch(ledger, place)
                            judge_commits(ledger, place, just_made=just_made)
                        except Exception as problem:  # one repository must not hold up the others
                            log(f"the commits of {place.root} were not judged: {problem!r}")
                if transcripts_are_due(ledger, time.time()):
                    try:
                        read_transcripts(ledger)
                    except Exception as problem:
                        log(f"transcripts were not read: {problem!r}")
                ledger.forget_old()
                send_queue(ledger)
        with Ledger() as ledger:
            again = bool(ledger.rows("SELECT 1 FROM work LIMIT 1"))


@contextmanager
def alone(seconds: float) -> Iterator[bool]:
    """Yield whether this process alone works on the ledger's queue and transcripts, waiting up to `seconds` for
    others.
    """
    with open(path_of("worker.lock"), "a+b") as file:
        deadline = time.monotonic() + seconds
        while not (is_held := _lock(file)) and time.monotonic() < deadline:
            time.sleep(0.1)
        yield is_held


def _lock(file: IO[bytes]) -> bool:
    """Take the lock, which is released when its file is closed; False if another process holds it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
