"""The real scheduler and the real ledger under a virtual clock, with seeded loads and seeded faults.

`run(seed, world)` in run.py plays one world and raises when a law is broken; `simulate(seeds, …)` in simulate.py plays
many. The same seed always plays the same world, so a failure carries the command that repeats it.
"""
