"""The canonical text of a hold reads back to what it was written from."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from ledger.hold_text import Backing, Capture, backing_from, backing_text, capture_from, capture_text
from ledger.model import RESOURCES, Cut, Line, Slice

counts, texts = st.integers(0, 10**15), st.text(max_size=8)
resources = st.sampled_from(RESOURCES)
lines = st.lists(st.builds(Line, resources, counts, counts, st.integers(1, 10**6), texts), max_size=4).map(tuple)
slices = st.builds(Slice, texts, resources, counts, texts, counts, counts, counts, texts)
cuts = st.builds(Cut, texts, texts, counts)


def _is_canonical(text: str) -> bool:
    """Keys sorted, no space that means nothing, letters as they are: one text for one meaning."""
    return text == json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"), sort_keys=True)


@given(st.builds(Backing, texts, lines, st.lists(slices, max_size=4).map(tuple), st.lists(cuts, max_size=3).map(tuple)))
def test_a_backing_reads_back(backing: Backing) -> None:
    text = backing_text(backing)
    assert backing_from(text) == backing
    assert _is_canonical(text)


@given(st.builds(Capture, lines, st.lists(counts, max_size=4).map(tuple), counts, texts))
def test_a_capture_reads_back(capture: Capture) -> None:
    text = capture_text(capture)
    assert capture_from(text) == capture
    assert _is_canonical(text)


def test_the_texts_in_full() -> None:
    line = Line("shots", 2, 1_500, 1_000, "r3")
    part = Slice("G", "shots", 3_000, "CNY", 3_000, 500_000, 800_000, "seed@1#1")
    assert backing_text(Backing("CNY", (line,), (part,), (Cut("G", "available", 5),))) == (
        '{"asset":"CNY","cuts":[["G","available",5]],"lines":[["shots",2,1500,1000,"r3"]],'
        '"slices":[["G","shots",3000,"CNY",3000,500000,800000,"seed@1#1"]]}'
    )
    assert capture_text(Capture((line,), (3_000,), 0)) == (
        '{"captured":[3000],"lines":[["shots",2,1500,1000,"r3"]],"overrun":0}'
    )
    assert capture_text(Capture((), (), 7, "metered «twice»")) == (
        '{"captured":[],"lines":[],"overrun":7,"reason":"metered «twice»"}'
    )
