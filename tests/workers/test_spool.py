"""Results in files: complete or absent, swept by the next owner, never by a second one."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers.spool import Spool, SpoolInUse, write_result


def test_a_result_is_written_whole(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    path = spool.path_of("job/0.1", 7)
    write_result(path, b"x" * 2_000_000)
    assert path.read_bytes() == b"x" * 2_000_000
    assert [one.name for one in spool.root.iterdir() if one.suffix != ".lock"] == [path.name]
    spool.close()


def test_a_result_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    taken = tmp_path / "taken.result"
    taken.mkdir()
    with pytest.raises(OSError, match=r"taken\.result"):
        write_result(taken, b"x")
    assert [one.name for one in tmp_path.iterdir()] == ["taken.result"]


def test_names_are_readable_safe_and_unique(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    names = {spool.path_of(*key).name for key in [("a/0.1", 1), ("a/0.1", 2), ("a-0.1", 1), ("../../etc/passwd", 1)]}
    assert len(names) == 4
    assert all("/" not in name and ".." not in name for name in names)
    assert spool.path_of("job/0.1", 7).name.startswith("job-0-1-")
    assert len(spool.path_of("x" * 5_000, 7).name) < 200
    spool.close()


def test_discarding_takes_halves_along(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    path, other = spool.path_of("job/0.1", 7), spool.path_of("job/0.2", 8)
    for one in (path, path.with_suffix(".4711.part"), other):
        one.write_bytes(b"x")
    spool.discard(path)
    assert [one for one in tmp_path.iterdir() if one.suffix != ".lock"] == [other]
    spool.discard(path)
    spool.close()


def test_a_new_owner_sweeps_and_a_second_one_is_refused(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    result = first.path_of("job/0.1", 7)
    write_result(result, b"x")
    with pytest.raises(SpoolInUse, match="is the spool of another executor"):
        Spool(tmp_path)
    assert result.exists()
    first.close()
    first.close()
    second = Spool(tmp_path)
    assert not result.exists()
    second.close()


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("keep")
    Spool(tmp_path).close()
    assert (tmp_path / "notes.txt").read_text() == "keep"
