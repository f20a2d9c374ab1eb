"""From a circuit to one that a device runs: by one compiler, or by several of which the best is kept.

Knows targets (`qiskit.transpiler.Target`), not devices. `options` is light to import; all else loads compilers:

    calibrated      a target with its figures and its hash
    choosing        the one road: as it is, one run, or the best of a portfolio; remembers
    members         who is in a portfolio; blocks, on_tket, on_pyzx: what others may rewrite
    isa, figures    whether a circuit is the target's own, and what it amounts to there
"""
