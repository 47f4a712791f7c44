"""Columns of a list, declared once for its page, its CSV file, its sorting and its history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.text import capfirst


@dataclass(frozen=True)
class Column:
    """`name` is a field of the model or a computed value; `sort` is the value of the URL parameter that sorts by it."""

    name: str
    label: str
    sort: str = ""
    order_by: str = ""
    choices: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Head:
    """The header cell of a column; its link sorts by the column, or reverses its order."""

    name: str
    label: str
    url: str
    sorted: str  # ascending, descending or empty


class Columns(tuple[Column, ...]):
    """Columns in display order."""

    __slots__ = ()

    @property
    def labels(self) -> dict[str, str]:
        """Labels by column name."""
        return {column.name: column.label for column in self}

    @property
    def sorts(self) -> dict[str, Column]:
        """Sortable columns by their value of the URL parameter."""
        return {column.sort: column for column in self if column.sort}

    def named(self, *names: str) -> Columns:
        by_name = {column.name: column for column in self}
        return Columns(by_name[name] for name in names)

    def of_events(self, model: type[models.Model]) -> dict[str, Column]:
        """The columns that are fields of the model, by their names in events of its history."""
        by_name = {column.name: column for column in self}
        fields = [field for field in model._meta.concrete_fields if field.name in by_name]
        return {field.attname: by_name[field.name] for field in fields}

    def heads(self, sort: str, url: Callable[[str], str]) -> list[Head]:
        """`sort` is the current sorting; `url` returns the URL of the table with another one."""
        heads = []
        for column in self:
            is_sorted = bool(column.sort) and column.sort == sort.removeprefix("-")
            word = f"-{column.sort}" if is_sorted and not sort.startswith("-") else column.sort
            direction = ("descending" if sort.startswith("-") else "ascending") if is_sorted else ""
            heads.append(Head(column.name, column.label, url(word) if column.sort else "", direction))
        return heads

    def row(self, record: models.Model, special: Mapping[str, Callable[[Any], Any]]) -> list[Any]:
        """The cells of a record: its attributes, except for columns in `special`, which compute theirs."""
        return [
            special[column.name](record) if column.name in special else getattr(record, column.name) for column in self
        ]


def columns_of(
    model: type[models.Model],
    *names: str,
    labels: Mapping[str, str] | None = None,
    sorts: Mapping[str, str] | None = None,
) -> Columns:
    """Labels default to the model's verbose names.

    `sorts` maps values of the URL parameter to the expression to order by.  Such a value belongs to the column whose
    name starts with it: `due` sorts by `due_on`.
    """
    columns = []
    for name in names:
        sort = next((word for word in sorts or () if name.split("_")[0] == word), "")
        label, choices = (labels or {}).get(name, ""), None
        try:
            field = model._meta.get_field(name)
        except FieldDoesNotExist:
            pass
        else:
            label = label or str(capfirst(getattr(field, "verbose_name", name)))
            choices = dict(getattr(field, "choices", None) or ()) or None
        columns.append(Column(name, label, sort, (sorts or {}).get(sort, ""), choices))
    return Columns(columns)
