"""The canonical text of a grant reads back to the grant."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from ledger.grant_text import grant_from, grant_text, reason_text
from ledger.model import WALLET, Grant

counts, texts = st.integers(0, 10**15), st.text(min_size=1, max_size=8)
names = st.lists(texts, max_size=3).map(tuple)
funders = st.dictionaries(texts, st.integers(1, 10**6), min_size=1, max_size=3).map(lambda found: tuple(found.items()))


@st.composite
def grants(draw: st.DrawFn) -> Grant:
    grant_id = draw(texts.filter(lambda text: text != WALLET))
    subject = (grant_id, draw(texts), draw(funders), draw(texts), draw(texts), draw(counts))
    from_us = draw(counts)
    until_us = from_us + draw(st.integers(1, 10**15))
    rest = (from_us, until_us, draw(st.integers(-5, 5)), draw(counts))
    return Grant(*subject, *rest, resources=draw(names), backends=draw(names), members=draw(names))


@given(grants())
def test_a_grant_reads_back(grant: Grant) -> None:
    text = grant_text(grant)
    assert grant_from(text) == grant
    assert text == json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def test_the_text_in_full() -> None:
    grant = Grant("G", "seed", (("city", 3), ("bank", 1)), "acme", "CNY", 5, 0, 9, 1, 2, members=("ann",))
    assert grant_text(grant) == (
        '{"amount":5,"asset":"CNY","backends":[],"created_us":2,"funders":[["city",3],["bank",1]],"id":"G",'
        '"members":["ann"],"priority":1,"programme_id":"seed","project_id":"acme","resources":[],'
        '"valid_from_us":0,"valid_until_us":9}'
    )
    assert reason_text("sie fragten «höflich»") == '{"reason":"sie fragten «höflich»"}'
