"""DuckDB in memory that reads and writes files of the folder of columns, and can reach nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from insights.columns.folder import folder, temporary_folder

if TYPE_CHECKING:
    import duckdb


def open_shut_in(memory_limit: str, *, first: str = "", **more: str | int) -> duckdb.DuckDBPyConnection:
    """A database of its own, to close by whoever opened it; `more` are further settings.

    `first` is a statement to execute in it: afterwards no setting can be changed.
    """
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "temp_directory": str(temporary_folder()),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        **more,
    }
    opened = duckdb.connect(":memory:", config=config)
    if first:
        opened.execute(first)
    opened.execute("SET allowed_directories = $folders", {"folders": [str(folder())]})
    opened.execute("SET enable_external_access = false")
    opened.execute("SET lock_configuration = true")
    return opened
