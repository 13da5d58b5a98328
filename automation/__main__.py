"""`python -m automation`: what `./portal` runs once the machine is set up."""

import sys

from automation.cli import main

sys.exit(main())
