"""The list of names is that of the engines there are."""

from __future__ import annotations

from backends import sweep
from backends.engines.release import release_of
from backends.engines.roster import engines
from backends.trust.names import ENGINES, is_reference, library_of, on_probation, package_of


def test_every_engine_is_listed() -> None:
    assert sorted(ENGINES) == sorted({engine.name for engine in engines()} | {sweep.NAME})


def test_libraries() -> None:
    assert library_of("aer.stabilizer") == library_of("aer.statevector") == "aer"
    assert library_of("sparse") == library_of("mps")
    assert library_of("sweep") not in (library_of("sparse"), library_of("stim"))


def test_who_is_young_and_who_is_believed() -> None:
    assert [name for name in ENGINES if on_probation(name)] == [
        "prismq.clifford", "prismq.rank", "prismq.statevector", "prismq.mps", "prismq.sparse", "sweep",
    ]  # fmt: skip
    assert [name for name in ENGINES if is_reference(name)] == ["aer.statevector", "sweep"]


def test_packages_and_licences_are_what_the_engines_say() -> None:
    for engine in engines():
        package, licence = package_of(engine.name) or (None, "Apache-2.0")
        assert engine.licence == licence
        if package is not None:
            assert release_of(package) == engine.version
    assert package_of("sweep") is None
