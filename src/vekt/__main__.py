"""Run the command line as `python -m vekt`."""

import sys

from vekt.cli import main

sys.exit(main())
