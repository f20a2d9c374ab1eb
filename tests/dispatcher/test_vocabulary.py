"""A word that nothing answers to is told beside those that would be understood."""

from __future__ import annotations

from dataclasses import replace

from dispatcher.vocabulary import Vocabulary, of_projects, of_terms, unanswered, unasked
from ledger.terms import Rule, Terms
from store.rows import ProjectRow

ACME = ProjectRow("prj_1", "acme", 1, 0, stage="seed", traits=("small", "rural"))
RIVAL = ProjectRow("prj_2", "rival", 1, 0)
SEED = Terms("seed", 1, (Rule(600_000, stages=("seed",), categories=("chemistry",)), Rule(500_000, traits=("small",))))
UPLIFT = Terms("green", 1, (Rule(200_000, uplift_ppm=100_000, uplift_traits=("green",)),))


def test_words_are_collected_from_startups_and_from_rules() -> None:
    assert of_projects([ACME, RIVAL]) == Vocabulary(frozenset({"seed"}), frozenset({"small", "rural"}))
    words = of_terms([SEED, UPLIFT])
    assert words.stages == {"seed"}
    assert words.traits == {"small", "green"}
    assert words.categories == {"chemistry", "general"}


def test_words_that_are_answered_say_nothing() -> None:
    assert unanswered(SEED, of_projects([ACME]), of_terms([SEED])) == ()
    assert unasked(replace(ACME, traits=("small",)), of_terms([SEED])) == ()
    assert unasked(RIVAL, of_terms([])) == ()


def test_a_slip_in_a_programme_is_told_with_what_there_is() -> None:
    rules = (Rule(600_000, stages=("sead",)), Rule(500_000, traits=("smal",), uplift_ppm=1, uplift_traits=("rual",)))
    assert unanswered(Terms("new", 1, rules), of_projects([ACME]), of_terms([SEED])) == (
        "rule 1: no startup is of stage 'sead'; there are seed",
        "rule 2: no startup has the trait 'smal'; there are rural, small",
        "rule 2: no startup has the trait 'rual'; there are rural, small",
    )
    assert unanswered(Terms("new", 1, rules[:1]), Vocabulary(), Vocabulary()) == (
        "rule 1: no startup is of stage 'sead'",
    )


def test_a_category_is_told_only_where_it_looks_like_another() -> None:
    terms = Terms("new", 1, (Rule(100_000, categories=("chemistri", "genral", "astronomy")),))
    assert unanswered(terms, Vocabulary(), of_terms([SEED])) == (
        "rule 1: only this programme names the category 'chemistri'; is it 'chemistry'?",
        "rule 1: only this programme names the category 'genral'; is it 'general'?",
    )


def test_a_startup_of_a_stage_that_nobody_pays_is_told() -> None:
    words = of_terms([SEED, Terms("many", 1, (Rule(1, stages=tuple("abcdefgh")),))])
    assert unasked(replace(ACME, stage="sead"), words) == (
        "no programme asks for stage 'sead'; they ask for a, b, c, d, e, f, g, h, …",
        "no programme asks for the trait 'rural'; they ask for small",
    )
