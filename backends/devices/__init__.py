"""Simulated quantum processors: what is known of each, how it drifts, what runs on it and what it would bill.

The service process reads only what imports no engine and no numbers library: `model`, `reading`, `pruning`, `drifting`,
`record` and `admission`. Everything else runs in child processes that may be killed:

    reading (targets/devices/*.toml, targets/snapshots/*.json; pruning) -> model.Device -> drifting     what it is today
    target -> compiling                                            the circuit over its gates, on its couplings
    scheduling -> noise                                            when each gate acts, and what goes wrong then
    choosing -> density | frames | trajectories                    whichever method suits the circuit
    backend, estimating                                            one PUB after another, and the bill
"""
