"""The newest payloads are kept at hand, and never more than fits."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from dispatcher.ground import Recent


def test_what_was_put_last_is_there() -> None:
    recent = Recent(max_bytes=10)
    recent.put("a", b"12345")
    recent.put("b", b"12345")
    assert (recent.get("a"), recent.get("b"), recent.get("c")) == (b"12345", b"12345", None)
    recent.put("c", b"1")
    assert (recent.get("a"), recent.get("b"), recent.get("c")) == (None, b"12345", b"1")


def test_what_is_put_again_counts_once_and_as_new() -> None:
    recent = Recent(max_bytes=10)
    recent.put("a", b"12345")
    recent.put("b", b"12345")
    recent.put("a", b"12345")
    recent.put("c", b"1")
    assert (recent.get("a"), recent.get("b")) == (b"12345", None)


def test_what_is_too_large_is_not_kept_and_drives_the_others_out() -> None:
    recent = Recent(max_bytes=3)
    recent.put("a", b"1")
    recent.put("b", b"12345")
    assert (recent.get("a"), recent.get("b"), recent._size) == (None, None, 0)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 12))))
def test_it_never_holds_more_than_its_limit(puts: list[tuple[str, int]]) -> None:
    recent = Recent(max_bytes=20)
    for key, size in puts:
        recent.put(key, b"x" * size)
        held = sum(len(content) for content in recent._kept.values())
        assert held == recent._size <= 20


def test_threads_may_share_it() -> None:
    recent = Recent(max_bytes=100)

    def work(name: str) -> None:
        for number in range(300):
            recent.put(f"{name}{number}", b"x" * 7)
            recent.get(f"{name}{number - 3}")

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(len(content) for content in recent._kept.values()) == recent._size <= 100
