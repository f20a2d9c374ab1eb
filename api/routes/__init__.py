"""One module for each family of addresses; each checks, makes one call to the room, and shapes the answer."""
