"""Whose a change is, for the history: of the program as of everything else."""

from __future__ import annotations

from orgtree.services.authorship import changes_by

__all__ = ["changes_by"]
