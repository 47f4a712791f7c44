"""Writes by clients of the simulated GitHub: webhooks that they registered, and labels that they set and removed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from demo.plan.delivery import Repository
from demo.providers.github_payloads import Json, Payloads, when
from demo.providers.record_states import ConversationState, HistoryAt

_FIRST_ID = 500_001


@dataclass(frozen=True, slots=True)
class Hook:
    id: int
    repository: Repository
    address: str
    secret: str
    events: tuple[str, ...]
    created_at: datetime

    def wants(self, event: str) -> bool:
        return "*" in self.events or event in self.events

    def payload(self, payloads: Payloads) -> Json:
        """The hook as the API shows it, without its secret."""
        address = f"{payloads.at(self.repository)}/hooks/{self.id}"
        config = {"content_type": "json", "insecure_ssl": "0", "url": self.address}
        return {
            "type": "Repository",
            "id": self.id,
            "name": "web",
            "active": True,
            "events": list(self.events),
            "config": config | ({"secret": "********"} if self.secret else {}),
            "updated_at": when(self.created_at),
            "created_at": when(self.created_at),
            "url": address,
            "test_url": f"{address}/test",
            "ping_url": f"{address}/pings",
            "deliveries_url": f"{address}/deliveries",
            "last_response": {"code": None, "status": "unused", "message": None},
        }


class Hooks:
    def __init__(self) -> None:
        self._hooks: dict[int, Hook] = {}
        self._next = _FIRST_ID
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Hook]:
        return iter(list(self._hooks.values()))

    def at(self, repository: Repository) -> list[Hook]:
        return [hook for hook in self if hook.repository.id == repository.id]

    def add(self, repository: Repository, args: Json, *, at: datetime) -> Hook | None:
        """The new hook; None where the repository has one of the same address and events."""
        config = args.get("config", {})
        address, events = config.get("url", ""), tuple(args.get("events") or ["push"])
        with self._lock:
            if any(hook.address == address and set(hook.events) == set(events) for hook in self.at(repository)):
                return None
            hook = Hook(self._next, repository, address, config.get("secret", ""), events, at)
            self._hooks[hook.id] = hook
            self._next += 1
            return hook

    def remove(self, repository: Repository, hook_id: int) -> bool:
        """Whether it was there."""
        with self._lock:
            hook = self._hooks.get(hook_id)
            if hook is None or hook.repository.id != repository.id:
                return False
            del self._hooks[hook_id]
            return True


class WrittenLabels:
    """Labels of issues and pull requests as clients left them, whatever instant is shown."""

    def __init__(self) -> None:
        self._labels: dict[tuple[str, int], list[str]] = {}

    def write(self, repository: Repository, number: int, state: ConversationState, labels: list[str]) -> None:
        state.labels = self._labels[repository.name, number] = labels

    def on(self, shown: HistoryAt) -> HistoryAt:
        """The history with these labels."""
        for (name, number), labels in self._labels.items():
            for records in (shown.pull_requests, shown.issues):
                if number in records[name]:
                    records[name][number].labels = list(labels)
        return shown
