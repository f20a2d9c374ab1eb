"""Programme files: the worked ones say what was published, and wrong ones are named with their place."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest

from api.schemas.programme_file import WrongProgramme
from ledger.terms import Claimant, Offer, offer
from service.programme_files import plans_in, shipped, text_of

M = 1_000_000 * 1_000_000
"""A million yuan, in micro-yuan."""


def test_five_worked_programmes_are_shipped() -> None:
    assert shipped() == ["joint-fifth", "rental-share", "research-and-product", "startup-plus", "tiered-firm"]
    for name in shipped():
        assert "As published:" in text_of(name), "what is published and what is assumed must be told apart"


def test_the_figures_are_those_that_were_published() -> None:
    (rental,) = plans_in("rental-share", UTC, "CNY")
    assert (rental.budget, rental.terms.rules[0].share_ppm) == (600 * M, 300_000)
    (startup,) = plans_in("startup-plus", UTC, "CNY")
    assert [rule.share_ppm for rule in startup.terms.rules] == [600_000, 500_000]
    assert (startup.terms.cap_project_year, startup.terms.pool_year) == (10 * M, 500 * M)
    (tiered,) = plans_in("tiered-firm", UTC, "CNY")
    assert [rule.share_ppm for rule in tiered.terms.rules] == [300_000, 200_000]
    assert tiered.terms.cap_project_year == 8 * M
    (joint,) = plans_in("joint-fifth", UTC, "CNY")
    assert (joint.terms.rules[0].share_ppm, joint.terms.cap_project_year) == (200_000, 1 * M)
    assert [weight for _, weight in joint.funders] == [1, 1]
    research, product = plans_in("research-and-product", UTC, "CNY")
    assert (research.terms.pool_year, product.terms.cap_project_year) == (100 * M, 20 * M)


@pytest.mark.parametrize(("stage", "share"), [("seed", 600_000), ("early", 600_000), ("grown", 500_000)])
def test_a_startup_gets_the_larger_share(stage: str, share: int) -> None:
    (plan,) = plans_in("startup-plus", UTC, "CNY")
    found = offer(plan.terms, Claimant(stage=stage), 0)
    assert isinstance(found, Offer)
    assert found.share_ppm == share


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    rest = 'funders = [{ name = "F" }]\nrules = [{ share = "5 %" }]\n'
    file.write_text(f'[[programmes]]\nname = "A"\nbudget = "5"\n{rest}')
    (plan,) = plans_in(str(file), UTC, "CNY")
    assert (plan.name, plan.budget, plan.asset) == ("A", 5_000_000, "CNY")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"x = ", "this is no TOML"),
        (b"\xff\xfe", "no text in UTF-8"),
        (b'[[programmes]]\nname = "A"\n', "budget"),
        (b"other = 1\n", "other"),
    ],
)
def test_what_is_no_programme_is_told_with_its_file(tmp_path: Path, content: bytes, why: str) -> None:
    file = tmp_path / "wrong.toml"
    file.write_bytes(content)
    with pytest.raises(WrongProgramme, match=f"wrong.toml: .*{why}"):
        plans_in(str(file), UTC, "CNY")


def test_a_name_that_is_nothing_names_what_there_is() -> None:
    with pytest.raises(WrongProgramme, match="worked programmes joint-fifth"):
        plans_in("no-such", UTC, "CNY")
