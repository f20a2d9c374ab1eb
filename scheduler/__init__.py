"""Pure: what runs where and when.

`step(state, event, policy)` in core.py is the one way in. Read in this order: events, decisions, policy, core, placing,
endings; the rest is bookkeeping.
"""
