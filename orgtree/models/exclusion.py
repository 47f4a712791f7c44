"""No overlap in time, held by the database without an extension."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db.models import F, Func, Q, Value


def one_at_a_time(*, of: tuple[str, ...], name: str) -> ExclusionConstraint:
    """For the same values of the columns `of` (ids), no two rows share a day of `during`.

    A plain `=` on a number in a GiST index needs btree_gist; a range that holds just that number does not.
    """
    same = [(Func(F(column), F(column), Value("[]"), function="int8range"), RangeOperators.OVERLAPS) for column in of]
    return ExclusionConstraint(name=name, expressions=[*same, ("during", RangeOperators.OVERLAPS)])


def not_empty(name: str) -> Q:
    """A range of days that holds at least one."""
    return Q(**{f"{name}__isempty": False})
