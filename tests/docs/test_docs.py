"""The pages do what they say: their bash and python blocks are run in order, a page a shell, in an empty folder.

Plain fences are shown, not run; of their command lines it is tested that the commands and options exist.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import click
import psutil
import pytest

from dispatcher.model import GrantTerms
from qubator.cli import qubator as client_cli
from service.cli import cli as service_cli
from service.embedded import CONSOLE, embedded

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "docs" / "tutorial.md", *sorted((ROOT / "docs" / "how-to").glob("*.md"))]
TEXTS = [page for place in ("*.md", "docs/**/*.md", "benchmarks/*.md") for page in sorted(ROOT.glob(place))]
BELL = ROOT / "examples" / "bell.qasm"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DAY_US = 86_400_000_000
RUN = ("bash", "python")
# What each how-to must have shown in the end.
SAID: dict[str, tuple[str, ...]] = {
    "audit": ("the books balance", "public auditor"),
    "compile-and-mitigate": ("QPU time", "predicted success", "not applied", "applied: it helped", "cx $", "corrected"),
    "costs": ("Nobody pays", "30 %", "succeeded", "The project's own wallet paid", "of your own money"),
    "devices": (
        "figures",
        "day by day",
        "Assumed, for nobody has published it",
        "succeeded",
        "density matrix",
        "estimated [",
    ),
    "http": ('"state":"succeeded"',),
    "reports": ("no corrections", "the job's rows sum to the co-pay", "City science bureau", "[month_not_over]"),
    "subsidise": ("nothing was changed", "nothing to change", "booked once", "claw back 1.000000 CNY"),
    "operate": (
        "aer is draining",
        "would run on ideal (auto)",
        "prismq.mps is trusted",
        "backend aer is draining",
        "aer is online",
        "Twice the share",
    ),
}


@dataclass(frozen=True)
class Block:
    """One fenced block; `language` is "" for a plain fence."""

    language: str
    text: str


def blocks_of(page: Path) -> list[Block]:
    return [Block(language, text) for language, text in FENCE.findall(page.read_text())]


def script_of(page: Path) -> str:
    """The page as one bash script: what a block sets, the next one has. Python blocks in a row are one program."""
    script = "set -euo pipefail\n"
    for language, run in groupby((b for b in blocks_of(page) if b.language in RUN), key=lambda block: block.language):
        text = "\n".join(block.text for block in run)
        script += text if language == "bash" else f"python - <<'END_OF_PYTHON'\n{text}END_OF_PYTHON\n"
    return script


def can_run(page: Path) -> bool:
    """A page that calls curl is run where there is one."""
    return "curl " not in page.read_text() or shutil.which("curl") is not None


def run_page(page: Path, folder: Path, environment: dict[str, str]) -> str:
    """Run a page; what it leaves running is ended."""
    script = folder / ".page.sh"
    script.write_text(script_of(page))
    output = folder / ".output"
    with output.open("w") as stream:
        shell = subprocess.Popen(
            ["bash", str(script)],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        code = shell.wait(timeout=120)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGTERM)
    said = output.read_text()
    assert code == 0, said
    return said


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An empty folder, the commands on the path, a free port, and no setting of the developer's own."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QUBATOR_")}
    commands = Path(sys.executable).parent
    return kept | {
        "PATH": f"{commands}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "COLUMNS": "80",
        "QUBATOR_PORT": str(port),
        "QUBATOR_URL": f"http://127.0.0.1:{port}",
        "QUBATOR_SLOTS": "1",
    }


@pytest.fixture
def startup(tmp_path: Path, environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """A running service on the folder's data, a startup's token, and the circuit of the tutorial."""
    shutil.copy(BELL, tmp_path)
    with embedded(tmp_path / "qubator-data", slots=1, inspectors=1) as service:
        room, now = service.room, service.room.now_us()
        project = room.create_project(CONSOLE, "Qubit Pharma")
        funder = room.create_funder(CONSOLE, "City science bureau")
        programme = room.create_programme(CONSOLE, "Compute vouchers", [(funder.id, 1)], "CNY", 10**9)
        room.issue_grant(CONSOLE, GrantTerms(project.id, programme.id, "CNY", 10**8, now, now + DAY_US, 0))
        member = room.create_member(CONSOLE, project.id, "alice", "admin")
        _, secret = room.create_token(CONSOLE, project.id, member.id, "admin", "alice", None)
        yield environment | {"QUBATOR_URL": service.url, "QUBATOR_TOKEN": secret}


def test_the_tutorial_from_an_empty_folder_to_a_receipt(tmp_path: Path, environment: dict[str, str]) -> None:
    said = run_page(ROOT / "docs" / "tutorial.md", tmp_path, environment)
    assert "succeeded" in said
    assert "Together" in said, "the receipt's explanation"
    assert "the books balance" in said
    children = [one for one in psutil.process_iter(["cwd"]) if one.info["cwd"] == str(tmp_path)]
    _, alive = psutil.wait_procs(children, timeout=15)
    assert alive == [], "the service of the page has ended with it"


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.stem in SAID and can_run(page)], ids=lambda page: page.stem
)
def test_a_how_to_works_beside_a_running_service(page: Path, tmp_path: Path, startup: dict[str, str]) -> None:
    said = run_page(page, tmp_path, startup)
    for words in SAID.get(page.stem, ()):
        assert words in said, said


def test_every_page_is_known_here() -> None:
    assert set(SAID) <= {page.stem for page in PAGES}
    assert {page.stem for page in PAGES if any(block.language in RUN for block in blocks_of(page))} == {
        "tutorial",
        *SAID,
    }


def commands_in(page: Path) -> Iterator[list[str]]:
    """The command lines of the plain fences and the bash blocks that call one of our commands, without the shell's."""
    for block in blocks_of(page):
        if block.language not in ("", "bash"):
            continue
        for line in block.text.replace("\\\n", " ").splitlines():
            for called in re.findall(r"(?:^|[\s(/])(qubatord? (?=[a-z-])[^#|;>&)]+)", line.partition(" # ")[0]):
                yield shlex.split(called)


def unknown_words(command: click.Command, words: list[str]) -> list[str]:
    """Options and subcommands that a command line names and the command does not have."""
    while isinstance(command, click.Group) and words:
        if words[0].startswith("-"):
            break
        try:
            # A group may know what is meant by a word that is none of its commands: `qubator receipt ID`.
            _, found, rest = command.resolve_command(click.Context(command), list(words))
        except click.UsageError:
            return [words[0]]
        assert found is not None
        command, words = found, rest
    known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {
        "-h",
        "--help",
        "--version",
    }
    return [word for word in words if re.match(r"--?[a-z]", word) and word.partition("=")[0] not in known]


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_a_page_shows_exist(page: Path) -> None:
    for name, *words in commands_in(page):
        command = {"qubatord": service_cli, "qubator": client_cli}[name]
        assert unknown_words(command, words) == [], f"{name} {' '.join(words)}"


def test_what_does_not_exist_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```\nx=$(qubatord project create A --colour red -q)\n.venv/bin/qubatord launch # --no\n```\n")
    found = [unknown_words(service_cli, words) for _, *words in commands_in(page)]
    assert found == [["--colour"], ["launch"]]


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    prose = FENCE.sub("", page.read_text())
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", prose):
        assert target.startswith("http") or (page.parent / target).exists(), target


def test_the_reference_says_what_the_code_says() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "make_reference.py"), "--check"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
