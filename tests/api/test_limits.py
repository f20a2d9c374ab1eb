"""The bounds of the HTTP face."""

from __future__ import annotations

from api.limits import ApiLimits
from api.schemas.jobs import BatchRequest
from backends.limits import Limits


def test_a_body_is_as_long_as_the_backends_expect() -> None:
    assert ApiLimits().body_bytes == Limits().body_bytes


def test_a_batch_is_as_large_as_its_documentation_says() -> None:
    schema = BatchRequest.model_json_schema()
    assert schema["properties"]["jobs"]["maxItems"] == ApiLimits().batch_jobs
