"""Where work runs: executor port, local processes, the payload inspector."""
