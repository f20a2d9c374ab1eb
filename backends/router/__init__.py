"""Which engine runs a program: what the program is like, how long each engine would take, and what to try in turn."""

from __future__ import annotations
