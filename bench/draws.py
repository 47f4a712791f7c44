"""Random draws in the database: reproducible."""

from __future__ import annotations

from django.db import connection


def create_draws() -> None:
    """Create the functions by which this session's statements draw; statements prefix their names with `pg_temp.`.

    `number` identifies the thing that is drawn for, and `about` the purpose: another word yields another draw.
    """
    with connection.cursor() as cursor:
        for statement in (UNIFORM, LOG_NORMAL, ON_WORKDAY, OBJECT_ID):
            cursor.execute(statement)


# Between 0 and 1, never either.
UNIFORM = """
    CREATE OR REPLACE FUNCTION pg_temp.uniform(number bigint, about text) RETURNS float8
    LANGUAGE sql IMMUTABLE AS $$
        SELECT ((hashint8extended(number, hashtext(about)) & 4294967295)::float8 + 0.5) / 4294967296.0
    $$
"""

# As most durations and sizes in software work are spread: `spread` 1 puts a sixth above 2.7 times the median.
LOG_NORMAL = """
    CREATE OR REPLACE FUNCTION pg_temp.log_normal(number bigint, about text, median float8, spread float8)
    RETURNS float8
    LANGUAGE sql IMMUTABLE AS $$
        SELECT median * exp(
            spread * sqrt(-2 * ln(pg_temp.uniform(number, about)))
            * cos(2 * pi() * pg_temp.uniform(number, about || ', angle'))
        )
    $$
"""

# Events on a Saturday or Sunday move to the following Monday, except for a tenth.
ON_WORKDAY = """
    CREATE OR REPLACE FUNCTION pg_temp.on_workday(number bigint, at timestamptz) RETURNS timestamptz
    LANGUAGE sql STABLE AS $$
        SELECT at + CASE
            WHEN extract(isodow FROM at) < 6 OR pg_temp.uniform(number, 'weekend') < 0.1 THEN interval '0'
            ELSE (8 - extract(isodow FROM at)) * interval '1 day' END
    $$
"""

OBJECT_ID = """
    CREATE OR REPLACE FUNCTION pg_temp.object_id(name text) RETURNS text
    LANGUAGE sql IMMUTABLE AS $$ SELECT substr(encode(sha256(name::bytea), 'hex'), 1, 40) $$
"""
