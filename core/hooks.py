"""Hooks that upper apps register with lower ones at start-up: listeners, and sources of page content."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Hook(Generic[T]):
    """An extension point: the app that defines it iterates over what others registered in their `AppConfig.ready`.

    move_listeners: Hook[MoveListener] = Hook()
    """

    def __init__(self) -> None:
        self._registered: list[T] = []

    def register(self, extension: T) -> None:
        """Registers the extension once, however often it is called."""
        if extension not in self._registered:
            self._registered.append(extension)

    def __iter__(self) -> Iterator[T]:
        return iter(self._registered)
