"""Lets ``python -m dbtcloud.cli`` do what the console script does."""

import sys

from dbtcloud.cli import main

sys.exit(main())
