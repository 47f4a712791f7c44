"""The published benchmarks that an organisation can choose from: pairs of the stored value and its label.

orgtree stores the choice only; insights/apps.py registers the options.
"""

from __future__ import annotations

from core.hooks import Hook

benchmark_sets: Hook[tuple[str, str]] = Hook()
peers: Hook[tuple[str, str]] = Hook()
