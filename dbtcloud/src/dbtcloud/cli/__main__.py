"""The entry point of ``python -m dbtcloud.cli``, which runs the console script."""

import sys

from dbtcloud.cli import main

sys.exit(main())
