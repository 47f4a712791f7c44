"""The Celery broker: the one of CELERY_BROKER_URL, or by default a folder of files.

The default broker stores messages under the data directory, so that nothing has to be installed.  kombu's filesystem
transport writes a message in place, where a polling worker may read half of it, and hands it over through the
system's temporary folder.  Both steps are made atomic here.  A message is a nudge (see core/nudges.py): losing one
costs seconds, but half of one must not stop the worker.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from amqp.exceptions import AMQPError
from kombu.exceptions import OperationalError
from kombu.transport import TRANSPORT_ALIASES, filesystem

from config import environment

SECONDS_BETWEEN_POLLS = 0.2  # maximum delay of a nudge; a poll lists one folder
REDIS = ("redis", "sentinel")  # also rediss:// and redis+socket://
# Without a timeout, a hanging Redis would block the request that sends a nudge forever.  The worker waits for messages
# in turns of one second, below the timeout.
SECONDS_FOR_REDIS = 2.0
# Raised when connecting; kombu does not wrap RabbitMQ's authentication errors.
CONNECTION_ERRORS = (OperationalError, OSError, AMQPError)
TRANSPORT_ALIASES[environment.FILE_BROKER.removesuffix("://")] = "config.broker:Transport"


def transport_options(url: str, data_dir: Path) -> dict[str, Any]:
    """Celery's broker_transport_options for `url`; creates the folders of the default broker."""
    if url == environment.FILE_BROKER:
        return _folders(data_dir)
    if url.startswith(REDIS):
        return {"socket_timeout": SECONDS_FOR_REDIS, "socket_connect_timeout": SECONDS_FOR_REDIS}
    return {}


def _folders(data_dir: Path) -> dict[str, Any]:
    messages, control = data_dir / "broker" / "messages", data_dir / "broker" / "control"
    for folder in (data_dir, messages.parent, messages, control):  # `parents` would create parents with other modes
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        "data_folder_in": str(messages),
        "data_folder_out": str(messages),
        "control_folder": str(control),
        "polling_interval": SECONDS_BETWEEN_POLLS,
    }


def clear_leftovers(data_dir: Path) -> None:
    """Delete leftover messages of earlier processes; only while no process uses the default broker.

    Sweeps sent by beat within seconds pick up the work.
    """
    for file in (data_dir / "broker" / "messages").glob("*"):
        file.unlink(missing_ok=True)


class Channel(filesystem.Channel):
    """One folder of files named `<time>-<id>.<queue>.msg`, oldest first."""

    def _put(self, queue: str, payload: object, **kwargs: object) -> None:  # type: ignore[override]
        folder = Path(self.data_folder_out)
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex}"
        unfinished = folder / f"{name}.unfinished"
        unfinished.write_text(json.dumps(payload))
        unfinished.rename(folder / f"{name}.{queue}.msg")

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        ending = f".{queue}.msg"
        folder = Path(self.data_folder_in)
        for name in sorted(name for name in os.listdir(folder) if name.endswith(ending)):
            claimed = folder / f"{name}.{os.getpid()}.claimed"
            with contextlib.suppress(FileNotFoundError, ValueError):  # another worker's, or not a message
                (folder / name).rename(claimed)
                try:
                    return json.loads(claimed.read_text())
                finally:
                    claimed.unlink()
        raise Empty


class Transport(filesystem.Transport):
    Channel = Channel
