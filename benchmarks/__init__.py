"""Measured claims: each `make bench-NAME` runs both sides in one run and ends with one line of figures."""
