"""Pure: what runs where and when."""
