#!/usr/bin/env python
"""Headway's command line.  `python manage.py help` lists the commands."""

import os
import sys

from config.data_folder import UMASK

# These neither read nor write the installation's database (bench brings one of its own); all others find it running,
# or start the embedded one meanwhile.
WITHOUT_DATABASE = {"bench", "help", "version", "check", "collectstatic", "diffsettings", "findstatic", "spectacular"}


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    command = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), "help")
    os.umask(UMASK)
    if command == "up":
        from config.launcher.main import main as up

        return up(sys.argv[2:])

    from config.embedded_postgres.accounts import EmbeddedPostgresError
    from config.environment import ConfigurationError
    from config.launcher.command import lacks_tables

    try:
        if command in WITHOUT_DATABASE or {"-h", "--help", "--version"} & set(sys.argv):
            execute()
        else:
            from config.launcher.command import database_for_command

            with database_for_command():
                execute()
    except (ConfigurationError, EmbeddedPostgresError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    except Exception as problem:
        if not lacks_tables(problem):
            raise
        sys.stderr.write(
            "The database lacks tables: this installation, or this version of it, was never started. "
            "Run python manage.py up once, then repeat the command.\n"
        )
        return 2
    return 0


def execute() -> None:
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
