"""The commands of `qubatord`, one file a family."""
