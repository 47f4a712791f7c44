"""A real SMTP server in a process of its own, which keeps what it took as files.

    python -m tests.programs.mail_server FOLDER    # prints its port

Addresses say how it behaves: `nobody@` is refused, `later@` is refused for now until a file `later` is there, `spam@`
is refused with its content, `hangup@` is taken without an answer.  With a file `slow` in the folder it answers, and
with `slow-after` it tells that it took a message, so many seconds later.  The file `called` says that somebody named a
recipient.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

ADDRESS = "127.0.0.1"
CALLED = "called"


class Keeping:
    """The handler that aiosmtpd requires."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        (self._folder / CALLED).touch()
        await asyncio.sleep(self._seconds("slow"))
        if address.startswith("nobody"):
            return "550 5.1.1 No such mailbox"
        if address.startswith("later") and not (self._folder / "later").exists():
            return "451 4.7.1 Greylisted, try again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        [recipient] = envelope.rcpt_tos
        if recipient.startswith("spam"):
            return "554 5.7.1 This looks like spam"
        with tempfile.NamedTemporaryFile("w", dir=self._folder, suffix=".part", delete=False) as file:
            json.dump([recipient, envelope.mail_from, envelope.content.decode("latin-1")], file)
        os.rename(file.name, file.name.removesuffix(".part") + ".mail")
        if recipient.startswith("hangup"):
            server.transport.abort()
        await asyncio.sleep(self._seconds("slow-after"))
        return "250 Message accepted"

    def _seconds(self, name: str) -> float:
        try:
            return float((self._folder / name).read_text())
        except (FileNotFoundError, ValueError):
            return 0.0


async def serve(folder: Path) -> None:
    from aiosmtpd.smtp import SMTP

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Keeping(folder), hostname="mail.example.com"), ADDRESS, 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


@dataclass(frozen=True)
class Taken:
    """A message that the server took."""

    to: str
    sender: str
    content: EmailMessage

    @property
    def text(self) -> str:
        part = self.content.get_body(("plain",))
        return part.get_content() if part else ""

    @property
    def html(self) -> str:
        part = self.content.get_body(("html",))
        return part.get_content() if part else ""


@dataclass(frozen=True)
class MailServer:
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"smtp://{ADDRESS}:{self.port}"

    def taken(self) -> Sequence[Taken]:
        """In the order in which it took them."""
        files = sorted(self.folder.glob("*.mail"), key=lambda file: file.stat().st_mtime_ns)
        return [self._read(file) for file in files]

    def _read(self, file: Path) -> Taken:
        to, sender, content = json.loads(file.read_text())
        message = email.message_from_bytes(content.encode("latin-1"), policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        return Taken(to, sender, message)

    def was_called(self) -> bool:
        """Whether a client has named a recipient, whose answer it may be waiting for."""
        return (self.folder / CALLED).exists()

    def set(self, name: str, value: object = "") -> None:
        (self.folder / name).write_text(str(value))


@contextmanager
def mail_server(folder: Path) -> Iterator[MailServer]:
    folder.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.programs.mail_server", str(folder)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield MailServer(folder, int(process.stdout.readline()))
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
