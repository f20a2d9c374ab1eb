"""`python -m qubator` is the command `qubator`."""

from qubator.cli import main

main()
