"""What runs circuits: engines, targets, PUBs. Knows circuits, not jobs.

The service process reads only what imports no engine and no numbers library: `limits`, `findings`, `catalogue` with
`estimate`, `targets/` and the light part of `devices`, `rejected`, `seeds`. Everything else runs in child processes
that may be killed:

    bytes -> work (circuits: qpy_scan, qasm_scan, qasm3_import; parameters; observables)    decode, within limits
          -> measure (structure, gates, expressions)                                        count, refuse, price
          -> run -> aer -> compiled (flatten, assembly, binding)                            prepare, remembered
                        -> sampling, estimating (engine, registers, paulis)                 one PUB after another
                        -> results                                                          bytes again
          -> run -> ideal -> programming (program) -> reductions                            flat, then smaller
                          -> router -> engines                                              whichever suits each part
          -> run -> devices                                                                 compiled, noisy, billed

`port` is what a further backend has to be, `engines/port` what a further engine of the router. What the sender has to
mend is `Rejected`, with a code of the problem table.
"""
