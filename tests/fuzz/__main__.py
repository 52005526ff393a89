"""Run from the command line: ``python -m tests.fuzz --cases 50000``."""

import sys

from tests.fuzz.runner import main

sys.exit(min(main(), 1))
