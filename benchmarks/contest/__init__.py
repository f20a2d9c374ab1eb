"""Who runs circuits in `make bench-router`, in a child that can be killed, and what is made of the measured rows.

`contestants` run a circuit in one way each; `child` is the warm process they run in, `rows` what was measured and its
file, `verdicts` judge the drawn outcomes, `figures` are the last line. `plans` asks the router what it foretells, for
`losses`, the table of circuits where it loses most.
"""
