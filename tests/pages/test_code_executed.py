"""The amount of the product's code that a page executes: its own files, and the deepest stack of its frames.

An engineer who changes a page has about as much to read.  The limits are today's figures; docs/performance.md has the
goals.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import pytest
from django.test import Client

from tests.org import Org
from tests.servers import PROJECT_DIR

pytestmark = pytest.mark.django_db

ROOMS = tuple(f"{PROJECT_DIR}/{room}/" for room in ("core", "insights", "integrations", "orgtree", "programs"))


@dataclass
class Executed:
    files: set[str] = field(default_factory=set)
    depth: int = 0
    _frames: int = 0

    def note(self, frame: FrameType, event: str, _argument: Any) -> None:
        """Called by the interpreter at each call and return."""
        if event in ("call", "return") and (name := frame.f_code.co_filename).startswith(ROOMS):
            self._frames += 1 if event == "call" else -1
            self.depth = max(self.depth, self._frames)
            self.files.add(name)


def executed_by(visit: Callable[[], Any]) -> Executed:
    executed = Executed()
    gc.collect()  # ends the generators of tests before, whose frames would count
    sys.setprofile(executed.note)
    try:
        visit()
    finally:
        sys.setprofile(None)
    return executed


@pytest.mark.parametrize(
    ("path", "most_files", "most_frames"),
    [
        ("/insights/ai/", 73, 27),
        ("/insights/delivery/", 74, 27),
        ("/insights/metrics/pr.cycle_time/", 72, 28),
        ("/programs/tickets/", 31, 16),
    ],
)
def test_a_page_executes_so_many_files(org: Org, member: Client, path: str, most_files: int, most_frames: int) -> None:
    org.session(by="ada", on="2026-03-02")
    org.fold()
    member.get(path)  # what a process loads once

    def visit() -> None:
        assert member.get(path).status_code == 200

    executed = executed_by(visit)
    assert len(executed.files) <= most_files, sorted(executed.files)
    assert executed.depth <= most_frames
