"""`cf-aigw doctor`: what is wrong with the configuration, and what to do.

`_probes` asks and writes down what came of it; the tables of `_setup_checks`, `_host_checks` and `_answer_checks` are
pure functions over that; `_report` shows it.
"""

from aigw.cli.doctor._command import add_to

__all__ = ["add_to"]
