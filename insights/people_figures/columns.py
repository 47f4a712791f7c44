"""Columns of numbers as bytes, which are read within milliseconds however many people they are of.

A header (JSON, after its length in four bytes) says what they are, and of which type each is; the columns follow, all
of the same length.
"""

from __future__ import annotations

import json
import struct
from array import array
from collections.abc import Sequence
from typing import Any

LENGTH = struct.Struct(">I")  # of the header


def pack(told: Any, columns: Sequence[array[Any]]) -> bytes:
    """With `told` of them, as JSON."""
    shape = {"types": [column.typecode for column in columns], "rows": len(columns[0])}
    header = json.dumps({"told": told, **shape}).encode()
    return b"".join((LENGTH.pack(len(header)), header, *(column.tobytes() for column in columns)))


def unpack(content: bytes) -> tuple[Any, Sequence[array[Any]]]:
    """What `pack` was given."""
    (length,) = LENGTH.unpack_from(content)
    at = LENGTH.size + length
    header = json.loads(content[LENGTH.size : at])
    columns = []
    for kind in header["types"]:
        column: array[Any] = array(kind)
        end = at + column.itemsize * header["rows"]
        column.frombytes(content[at:end])
        columns.append(column)
        at = end
    return header["told"], columns
