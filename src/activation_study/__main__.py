"""`python -m activation_study COMMAND …`, the same as `activation-study COMMAND …`."""

import sys

from activation_study.cli import main

sys.exit(main())
