"""The entry point of `qubatord`."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command. What is loaded lives as long as the process: looking for garbage among it takes a third of the
    time to load, and would take time at every later collection.
    """
    gc.disable()
    from service.cli import cli

    gc.freeze()
    gc.enable()
    sys.exit(cli(prog_name="qubatord"))


if __name__ == "__main__":
    main()
