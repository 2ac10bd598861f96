"""The commands: from the command line to one call, with exit codes and messages for whatever goes wrong.

0 success; 1 a run failed or differs; 2 bad input; 130 interrupted by Ctrl-C, 143 by another signal.
"""

from activation_study.cli.main import main

__all__ = ["main"]
