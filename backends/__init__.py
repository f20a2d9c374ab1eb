"""What runs circuits: engines, targets, PUBs. Knows circuits, not jobs."""
