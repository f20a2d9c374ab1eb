"""A checkpoint's file is there whole or not at all."""

from __future__ import annotations

import pytest

from store.checkpoint_files import CheckpointFiles


@pytest.fixture
def files(tmp_path):
    return CheckpointFiles(tmp_path / "checkpoints")


def test_written_and_read(files):
    assert (list(files.sizes()), files.newest_size(), files.read(7)) == ([], 0, None)
    for size in (7, 123_456, 20_000, 19_999):
        files.write(size, f"note {size} é\n")
    assert list(files.sizes()) == [7, 19_999, 20_000, 123_456]
    assert files.newest_size() == 123_456
    assert files.read(20_000) == "note 20000 é\n"
    assert [path.name for path in files.root.rglob("*.part")] == []


def test_a_folder_that_refuses_leaves_nothing_half_written(files):
    files.root.write_text("in the way")
    with pytest.raises(OSError, match="checkpoints"):
        files.write(7, "note\n")


def test_what_is_no_text_is_read_all_the_same(files):
    files.write(7, "note\n")
    files.path(7).write_bytes(b"\xff\xfe")
    assert files.read(7) == "\ufffd\ufffd"
