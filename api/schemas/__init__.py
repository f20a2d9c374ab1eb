"""The documents that go in and out, as pydantic models: requests are checked by them, answers documented by them."""
