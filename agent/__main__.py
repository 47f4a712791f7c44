"""The collector's command line: `python headway-agent.pyz COMMAND`."""

import sys

from .commands import main

sys.exit(main())
