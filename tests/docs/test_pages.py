"""The tutorial and the how-tos are true: their bash and python blocks are run, page by page, as a reader would."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs" / "tutorial.md", *sorted((ROOT / "docs" / "how-to").glob("*.md"))]
# A page that calls curl is run where there is one.
MISSING = () if shutil.which("curl") else ("curl ",)
BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```", re.M | re.S)

# What the how-tos presuppose: a running service and a startup's token.
SETTING = """
qubatord up --token-file operator-token &
until qubator version > /dev/null 2>&1; do sleep 0.2; done
project=$(qubatord project create "Reader" -q)
funder=$(qubatord funder create "Funder" -q)
programme=$(qubatord programme create "Programme" --funder $funder --budget 100 -q)
qubatord grant issue --project $project --programme $programme --amount 50
export QUBATOR_TOKEN=$(qubatord token create --project $project --name reader --role admin -q)
cp "$ROOT/examples/bell.qasm" .
"""


def can_run(page: Path) -> bool:
    """Whether the page has blocks, and this machine what they call."""
    text = page.read_text()
    return BLOCK.search(text) is not None and not any(word in text for word in MISSING)


def script_of(page: Path) -> str:
    """One bash script of the whole page; the python blocks of a page are one program, split where they are split."""
    parts = ["set -euo pipefail", "" if page.name == "tutorial.md" else SETTING]
    python: list[str] = []
    for language, text in BLOCK.findall(page.read_text()):
        if language == "bash":
            parts.append(text)
            continue
        python.append(text)
        program = "\n".join(python)
        parts.append(f"python - <<'END_OF_PYTHON'\n{program}\nEND_OF_PYTHON")
    return "\n".join(parts)


@pytest.fixture
def place(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    bin_folder = Path(sys.executable).parent
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QUBATOR_")}
    return (
        tmp_path,
        {
            **kept,
            "PATH": f"{bin_folder}:{kept['PATH']}",
            "HOME": str(tmp_path),
            "ROOT": str(ROOT),
            "QUBATOR_PORT": str(port),
            "QUBATOR_URL": f"http://127.0.0.1:{port}",
            "QUBATOR_SLOTS": "1",
        },
    )


@pytest.mark.parametrize("page", [page for page in PAGES if can_run(page)], ids=lambda page: page.stem)
def test_a_page_does_what_it_says(page: Path, place: tuple[Path, dict[str, str]]) -> None:
    folder, environment = place
    process = subprocess.Popen(
        ["bash", "-c", script_of(page)],
        cwd=folder,
        env=environment,
        stdout=(folder / "output.txt").open("w"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        code = process.wait(timeout=120)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert code == 0, (folder / "output.txt").read_text()[-4000:]


def test_the_pages_have_blocks_to_run() -> None:
    """A page whose fences were misspelt would pass unseen."""
    counts = {page.stem: len(BLOCK.findall(page.read_text())) for page in PAGES if page.stem != "deploy"}
    assert min(counts.values()) >= 1, counts
    assert counts["tutorial"] >= 5


def test_links_between_pages_lead_somewhere() -> None:
    pages = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")] + PAGES
    links = [(page, target) for page in pages for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())]
    lost = [f"{page.name}: {to}" for page, to in links if "://" not in to and not (page.parent / to).exists()]
    assert lost == []
