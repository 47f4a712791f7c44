"""Writes the generated parts of the docs: the table of the rules of *What to look for*.

`python scripts/write_reference.py`; a test compares them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import django

PROJECT_DIR = Path(__file__).resolve().parent.parent
RULES = PROJECT_DIR / "docs" / "reference" / "what-to-look-for.md"
BEGINS = "| metric | if | says | check |\n"


def with_rules(text: str, table: str) -> str:
    """The page with this table in place of its own."""
    before, _, rest = text.partition(BEGINS)
    _, _, after = rest.partition("\n\n")
    return f"{before}{table}\n{after}"


if __name__ == "__main__":
    sys.path.insert(0, str(PROJECT_DIR))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from insights.ui.hints import table_of_rules

    RULES.write_text(with_rules(RULES.read_text(), table_of_rules()))
