"""The same scheduler and ledger under a virtual clock, with seeded faults."""
