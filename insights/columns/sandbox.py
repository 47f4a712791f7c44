"""A sandboxed in-memory DuckDB that can access only the folder of column files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from insights.columns.folder import folder, temporary_folder

if TYPE_CHECKING:
    import duckdb


def open_sandboxed(memory_limit: str, *, first: str = "", **more: str | int) -> duckdb.DuckDBPyConnection:
    """A new database, which the caller closes; `more` are additional settings.

    `first` is executed before the configuration is locked.
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
