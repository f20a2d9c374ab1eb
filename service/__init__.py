"""Processes: settings, wiring, telemetry and the command `qubatord`."""
