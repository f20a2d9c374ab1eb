"""Circuits to compare engines on: MQT Bench and families of our own, each seeded, named and at most 100 qubits wide.

`suite` lists them all; `entry` says what one is. The families live in `layered` (Trotter steps, brickwork, grids,
QAOA, IQP), `clifford` (Clifford+T, mirrors, codes), `dynamic`, `arithmetic`, `parts` (blocks, cones) and `mqt`.
`folder` reads circuits of the user's own. `judging` tests whether drawn outcomes follow the right distribution,
`exact` knows that distribution where a dense state or all branches tell it.
"""
