"""Qubator client: run circuits on an incubation zone's shared backends."""
