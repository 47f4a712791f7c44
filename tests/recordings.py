"""Telemetry of real agents, recorded against a model server with known responses.

The files are outside the project, in HEADWAY_TEST_DATA: `agents/AGENT/RUN/index.json` lists the requests,
`expected.json` the true totals.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class RecordedRequest:
    """One request body as the agent sent it."""

    path: str
    content_type: str
    content_encoding: str | None
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        encoding = {"Content-Encoding": self.content_encoding} if self.content_encoding else {}
        return {"Content-Type": self.content_type, **encoding}


@dataclass(frozen=True)
class Recording:
    """One run of an agent: its requests in the order in which they were sent, and what is true of them."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @cached_property
    def requests(self) -> list[RecordedRequest]:
        return [
            RecordedRequest(
                path=entry["path"],
                content_type=entry["content_type"],
                content_encoding=entry["content_encoding"],
                body=(self.folder / entry["file"]).read_bytes(),
            )
            for entry in json.loads((self.folder / "index.json").read_text())
        ]

    @cached_property
    def expected(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.folder / "expected.json").read_text())
        return loaded


@dataclass(frozen=True)
class Recordings:
    folder: Path

    def of(self, agent: str) -> list[Recording]:
        """Every recorded run of that agent (as the data names it, e.g. claude-code), by name."""
        recordings = [
            Recording(index.parent) for index in sorted((self.folder / "agents" / agent).glob("*/index.json"))
        ]
        assert recordings, f"no recordings of {agent} under {self.folder}"
        return recordings
