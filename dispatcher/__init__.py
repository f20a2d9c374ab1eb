"""The shell: inbox, step, carry out, one transaction at a time."""
