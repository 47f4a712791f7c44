"""The demo's people and Org Trees, loaded as an admin would load them: file by file, each as of its day."""

from __future__ import annotations

from integrations.demo.organisation import people_files
from integrations.demo.year import DemoYear
from orgtree.people_import.rows import drafts_of
from orgtree.services.people import store_people


def load_demo_people(year: DemoYear) -> None:
    """Import the people files of the year; a second time changes nothing."""
    for file in people_files(year):
        store_people(drafts_of(file.content), effective=file.effective)
