"""The image, as far as it can be proved without an engine: linted, and its steps rehearsed in a clean environment."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = ROOT / "Dockerfile"
BIN = Path(sys.executable).parent
INSTALLED = "/opt/qubator"


@dataclass(frozen=True)
class Instruction:
    """One instruction of a Dockerfile, its continuation lines joined; `stage` counts the FROMs from 0."""

    stage: int
    word: str
    text: str


def instructions(text: str) -> list[Instruction]:
    found: list[Instruction] = []
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    stage = -1
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        word, _, rest = line.partition(" ")
        stage += word == "FROM"
        found.append(Instruction(stage, word, rest.strip()))
    return found


STEPS = instructions(DOCKERFILE.read_text(encoding="utf-8"))
BUILD, RUNTIME = 0, 1


def texts(word: str, stage: int) -> list[str]:
    return [step.text for step in STEPS if (step.word, step.stage) == (word, stage)]


def environment(stage: int) -> dict[str, str]:
    pairs = [pair.partition("=") for text in texts("ENV", stage) for pair in text.split()]
    return {name: value for name, _, value in pairs}


def hadolint(path: Path) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / "hadolint"), "--no-color", "--failure-threshold", "style", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=path.parent)


def test_hadolint_has_nothing_to_say() -> None:
    answer = hadolint(DOCKERFILE)
    assert (answer.returncode, answer.stdout) == (0, "")


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("FROM python:latest", "DL3007"),
        ("RUN cd /build && ls", "DL3003"),
        ("RUN apt-get install curl", "DL3008"),
        ("USER root", "DL3002"),
        ("CMD qubatord up", "DL3025"),
    ],
)
def test_hadolint_is_awake(tmp_path: Path, line: str, rule: str) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM python:3.11.14-slim-bookworm\n{line}\n", encoding="utf-8")
    answer = hadolint(tmp_path / "Dockerfile")
    assert answer.returncode == 1
    assert rule in answer.stdout


def test_both_stages_stand_on_one_slim_pinned_python() -> None:
    build, runtime = (step.text for step in STEPS if step.word == "FROM")
    assert build == f"{runtime} AS build"
    version = re.fullmatch(r"python:3\.(\d+)\.\d+-slim-\w+", runtime)
    assert version is not None
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert int(version[1]) >= int(project["requires-python"].removeprefix(">=3."))


def test_it_runs_as_nobody_in_particular() -> None:
    assert texts("USER", RUNTIME) == ["10001:10001"]
    (users,) = texts("RUN", RUNTIME)
    assert "--gid 10001 qubator" in users
    assert "useradd --system --uid 10001 --gid qubator" in users


def test_its_state_lives_in_one_volume() -> None:
    assert texts("VOLUME", RUNTIME) == [json.dumps([environment(RUNTIME)["QUBATOR_DATA"]])]
    assert texts("WORKDIR", RUNTIME) == [environment(RUNTIME)["QUBATOR_DATA"]]
    assert "--owner=qubator --group=qubator --mode=0700 /var/lib/qubator" in texts("RUN", RUNTIME)[0]


def test_one_entry_for_every_role() -> None:
    assert texts("ENTRYPOINT", RUNTIME) == ['["qubatord"]']
    assert texts("CMD", RUNTIME) == ['["up"]']
    assert texts("STOPSIGNAL", RUNTIME) == ["SIGTERM"]
    assert texts("EXPOSE", RUNTIME) == [environment(RUNTIME)["QUBATOR_PORT"]]


def test_it_sets_only_what_the_service_reads() -> None:
    names = {name for name in environment(RUNTIME) if name.startswith("QUBATOR_")}
    assert names - {f"QUBATOR_{field.upper()}" for field in Settings.model_fields} == set()


def copied() -> list[str]:
    """What the build stage copies from the repository."""
    return [name for text in texts("COPY", BUILD) for name in text.split()[:-1]]


def test_the_build_is_given_every_package_and_nothing_else() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    pages = {"README.md", "constraints.txt", "pyproject.toml"}
    assert sorted(copied()) == sorted({*pages, *packages["wheel"]["packages"]})
    assert [name for name in copied() if not (ROOT / name).exists()] == []
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert [line for line in ignored if line == "*"] == ["*"], "everything is left out but what is named"
    assert sorted(line[1:] for line in ignored if line.startswith("!")) == sorted(copied())


def health_check() -> list[str]:
    (text,) = texts("HEALTHCHECK", RUNTIME)
    command: list[str] = json.loads(text.partition(" CMD ")[2])
    return command


def test_the_health_check_needs_nothing_but_python() -> None:
    command = health_check()
    assert command[:2] == ["python", "-c"]
    compile(command[2], "HEALTHCHECK", "exec")
    assert "/health/ready" in command[2]


# From here on: the rehearsal. /opt/qubator, the build folder and the data folder become folders of this test.


@dataclass(frozen=True)
class Image:
    """What the steps of the Dockerfile have made."""

    installed: Path
    data: Path

    def environment(self) -> dict[str, str]:
        asked = {**environment(RUNTIME), "QUBATOR_DATA": str(self.data), "HOME": str(self.data)}
        asked["PATH"] = f"{self.installed / 'bin'}:/usr/bin:/bin"
        return asked

    def command(self, *arguments: str) -> list[str]:
        (entry,) = json.loads(texts("ENTRYPOINT", RUNTIME)[0])
        return [str(self.installed / "bin" / entry), *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        where = {"cwd": self.data, "env": self.environment()}
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, check=False, **where)  # type: ignore[call-overload,no-any-return]


def ignored_names(folder: str, names: list[str]) -> set[str]:
    """What .dockerignore keeps out below the folders that it lets in."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line.removeprefix("**/") for line in lines if line.startswith("**/")]
    return {name for name in names for pattern in patterns if fnmatch.fnmatch(name, pattern)}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """Carry out the build stage step by step, each RUN in a shell as Docker would."""
    folder = tmp_path_factory.mktemp("image")
    build, installed, data_folder = folder / "build", folder / "installed", folder / "volume"
    build.mkdir()
    data_folder.mkdir()
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    shell_environment = {**outside, **environment(BUILD), "PATH": f"{BIN}:{os.environ['PATH']}"}
    shell_environment.pop("PIP_NO_CACHE_DIR", None)  # the rehearsal may use what this machine has fetched before
    for step in STEPS:
        if step.stage != BUILD:
            continue
        if step.word == "COPY":
            *names, destination = step.text.split()
            for name in names:
                if (ROOT / name).is_dir():
                    shutil.copytree(ROOT / name, build / destination, ignore=ignored_names)
                else:
                    shutil.copy(ROOT / name, build / destination)
        elif step.word == "RUN":
            script = step.text.replace(INSTALLED, str(installed))
            done = subprocess.run(
                ["/bin/sh", "-ec", script],
                cwd=build,
                env=shell_environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{script}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    yield Image(installed, data_folder)
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_steps_make_an_environment_that_runs_the_command(image: Image) -> None:
    answer = image.run("--version")
    assert answer.returncode == 0, answer.stderr
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert answer.stdout.strip() == f"qubatord, version {version}"
    assert not (image.installed / "bin/pip").exists()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_version_is_the_pinned_one(image: Image) -> None:
    listed = "from importlib.metadata import distributions as d; print(*(f'{i.name}=={i.version}' for i in d()))"
    python = str(image.installed / "bin/python")
    answer = subprocess.run([python, "-c", listed], capture_output=True, text=True, check=True, cwd=image.data)
    pins = {line.partition(" ;")[0] for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()}
    installed = {name.lower().replace("_", "-") for name in answer.stdout.split()}
    assert {name for name in installed - pins if not name.startswith("qubator-service==")} == set()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_role_is_there(image: Image) -> None:
    for role in ("up", "serve", "dispatch", "work", "migrate"):
        answer = image.run(role, "--help")
        assert (role, answer.returncode) == (role, 0), answer.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_container_becomes_healthy_and_stops_when_told(image: Image) -> None:
    """ENTRYPOINT + CMD with the image's ENV; health check before, during and after; then STOPSIGNAL."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = str(listener.getsockname()[1])
    surroundings = {**image.environment(), "QUBATOR_PORT": port, "QUBATOR_HOST": "127.0.0.1"}
    arguments = json.loads(texts("CMD", RUNTIME)[0])
    process = subprocess.Popen(
        image.command(*arguments), cwd=image.data, env=surroundings, stdout=subprocess.PIPE, text=True
    )

    def health() -> int:
        python, option, code = health_check()
        code = code.replace("/proc/1/", f"/proc/{process.pid}/")
        command = [str(image.installed / "bin" / python), option, code]
        return subprocess.run(command, env=surroundings, capture_output=True, check=False).returncode

    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "listens on" in line:
                break
        while (health_code := health()) != 0 and process.poll() is None:
            pass
        assert health_code == 0
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=10) as answer:
            assert answer.status == 200
        process.send_signal(signal.Signals[texts("STOPSIGNAL", RUNTIME)[0]])
        process.communicate(timeout=60)
        assert process.returncode == 0
        assert health() != 0
    finally:
        process.kill()
        process.wait()
