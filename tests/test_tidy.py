"""The rules of the house, checked by machine over every room and the client; each rule is itself seen to fail here.

A rule reads one source and yields (line, sentence). What is excused is named below, one by one, with its reason.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("api", "backends", "dispatcher", "ledger", "scheduler", "service", "simulation", "store", "workers")
CLIENT = "sdk/src/qubator"
BESIDE = ("tests", "benchmarks", "examples", "docs")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LINES_AIM, LINES_MOST, FUNCTION_LINES_MOST = 400, 600, 70
LONGER_FILES: dict[str, str] = {  # path -> why it may have up to LINES_MOST lines
    "store/schema.py": "the tables are one schema: its keys and indexes are read side by side",
}

BANNED = _words("item handler util utils helper helpers manager common data info misc")
EXCUSED_NAMES: dict[tuple[str, str], str] = {  # (path, name) -> why
    ("service/settings.py", "data"): "the field's name is what an operator writes: QUBATOR_DATA, --data",
    ("service/embedded.py", "data"): "the same setting",
}

PURE_ROOMS = ("scheduler", "ledger")
PURE_IMPORTS = _words(
    "__future__ abc base64 binascii bisect collections contextlib copy dataclasses datetime decimal enum fractions "
    "functools hashlib heapq itertools json math operator re string types typing"
)
CLOCKS = _words("now utcnow today")
DATABASE = _words("sqlalchemy alembic psycopg sqlite3")
PYDANTIC = _words("pydantic pydantic_settings")

# Written in two parts, so that this page does not break its own rules.
MACHINE_PATH = re.compile(r"(?<![\w.}/])/(?:wo" + r"rk/|ho" + r"me/|tm" + r"p/\w|ro" + r"ot/)")
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|NotImpl" + r"ementedError)\b")
SKIPPED = re.compile(r"\bpytest\.(?:mark\.)?(?:sk" + r"ip|skip" + r"if|importor" + r"skip|xf" + r"ail)\b")

Finding = tuple[int, str]


@dataclass(frozen=True)
class Source:
    """One text file of the repository; `path` is relative to its root."""

    path: PurePosixPath
    text: str

    @property
    def room(self) -> str:
        return "sdk" if str(self.path).startswith(CLIENT) else self.path.parts[0]

    @property
    def is_python(self) -> bool:
        return self.path.suffix == ".py"

    @property
    def is_house(self) -> bool:
        """Part of a room or of the client, and written by hand."""
        return self.is_python and (self.room in ROOMS or self.room == "sdk")

    @property
    def is_migration(self) -> bool:
        return "migrations" in self.path.parts

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        return tuple(ast.walk(self.tree))


def file_is_short(source: Source) -> Iterator[Finding]:
    lines = source.text.count("\n")
    most = LINES_MOST if str(source.path) in LONGER_FILES else LINES_AIM
    if source.is_python and not source.is_migration and lines > most:
        yield lines, f"the file has {lines} lines, {most} is the most"


def functions_are_short(source: Source) -> Iterator[Finding]:
    if not source.is_python or source.is_migration:
        return
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MOST:
                yield node.lineno, f"{node.name} has {lines} lines, {FUNCTION_LINES_MOST} is the most"


def names_say_something(source: Source) -> Iterator[Finding]:
    if not source.is_python:
        return
    if _noun(source.path.stem) in BANNED or (
        source.path.stem == "__init__" and _noun(source.path.parent.name) in BANNED
    ):
        yield 1, f"the file is called {source.path.name} in {source.path.parent}"
    for node in source.nodes if source.is_house else ():
        for name in _names_given_by(node):
            if _noun(name) in BANNED and (str(source.path), name) not in EXCUSED_NAMES:
                yield getattr(node, "lineno", 1), f"the name {name} says nothing"


def _noun(name: str) -> str:
    """The last word of a snake_case or CamelCase name: what the named thing is said to be."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)
    return words[-1].lower() if words else ""


def _names_given_by(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
            yield name
        case ast.alias(asname=str(name)) | ast.MatchAs(name=str(name)) | ast.ExceptHandler(name=str(name)):
            yield name


def docstrings_are_there(source: Source) -> Iterator[Finding]:
    if source.is_python and not source.is_migration and not ast.get_docstring(source.tree):
        yield 1, "the module has no docstring"


def no_machine_is_named(source: Source) -> Iterator[Finding]:
    for number, line in enumerate(source.text.splitlines(), start=1):
        if found := MACHINE_PATH.search(line):
            yield number, f"a path of one machine: {line[found.start() :][:40]}"


def nothing_is_unfinished(source: Source) -> Iterator[Finding]:
    for number, line in enumerate(source.text.splitlines(), start=1):
        if found := UNFINISHED.search(line):
            yield number, f"unfinished: {found[0]}"
        if source.room == "tests" and (found := SKIPPED.search(line)):
            yield number, f"a test left out: {found[0]}"


def no_function_is_a_stub(source: Source) -> Iterator[Finding]:
    """A body of nothing but `...` belongs to protocols, overloads and abstract methods."""
    if not source.is_house:
        return
    protocols = {id(child) for node in source.nodes if _is_protocol(node) for child in ast.walk(node)}
    for node in source.nodes:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or id(node) in protocols:
            continue
        body = node.body[1:] if ast.get_docstring(node) else node.body
        marks = {ast.unparse(mark).rpartition(".")[2] for mark in node.decorator_list}
        if [ast.unparse(line) for line in body] == ["..."] and not marks & {"overload", "abstractmethod"}:
            yield node.lineno, f"{node.name} is a stub"


def _is_protocol(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef) and any("Protocol" in ast.unparse(base) for base in node.bases)


def _imports(source: Source) -> Iterator[tuple[int, str]]:
    """(line, top-level package) of every import, the ones inside functions too."""
    for node in source.nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." if node.level else (node.module or "").partition(".")[0]


def pydantic_stays_on_top(source: Source) -> Iterator[Finding]:
    if source.is_house and source.room not in ("api", "sdk") and str(source.path) != "service/settings.py":
        yield from ((line, f"imports {name}") for line, name in _imports(source) if name in PYDANTIC)


def cores_are_pure(source: Source) -> Iterator[Finding]:
    if source.is_house and source.room in PURE_ROOMS:
        allowed = PURE_IMPORTS | {source.room}
        yield from ((line, f"imports {name}") for line, name in _imports(source) if name not in allowed)
        for node in source.nodes:
            if isinstance(node, ast.Attribute) and node.attr in CLOCKS:
                yield node.lineno, f"reads the clock: {ast.unparse(node)}"


def only_store_speaks_sql(source: Source) -> Iterator[Finding]:
    if source.is_house and source.room != "store":
        yield from ((line, f"imports {name}") for line, name in _imports(source) if name in DATABASE)


def client_stands_alone(source: Source) -> Iterator[Finding]:
    if source.room == "sdk" and source.is_python:
        yield from ((line, f"imports the room {name}") for line, name in _imports(source) if name in ROOMS)


RULES: tuple[Callable[[Source], Iterator[Finding]], ...] = (
    file_is_short,
    functions_are_short,
    names_say_something,
    docstrings_are_there,
    no_machine_is_named,
    nothing_is_unfinished,
    no_function_is_a_stub,
    pydantic_stays_on_top,
    cores_are_pure,
    only_store_speaks_sql,
    client_stands_alone,
)


@cache
def sources_of(root: Path) -> list[Source]:
    """Every text of the house, of what stands beside it, and the pages at the top."""
    folders = [root / name for name in (*ROOMS, "sdk", *BESIDE)]
    paths = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    paths += [path for path in root.glob("*") if path.is_file() and path.suffix in {".md", ".toml", ""}]
    kept = {".py", ".md", ".toml", ".ini", ".sh", ".qasm", ".css", ".html", ""}
    hidden = [path for path in paths if not any(part.startswith(".") for part in path.relative_to(root).parts)]
    texts = [path for path in hidden if path.suffix in kept and "__pycache__" not in path.parts]
    return [
        Source(PurePosixPath(path.relative_to(root).as_posix()), path.read_text(encoding="utf-8"))
        for path in sorted(texts)
        if not any(part.endswith(".egg-info") for part in path.parts)
    ]


def violations(root: Path, rule: Callable[[Source], Iterator[Finding]]) -> list[str]:
    return [f"{source.path}:{line}: {text}" for source in sources_of(root) for line, text in rule(source)]


def modules_without_tests(root: Path) -> list[str]:
    """A module `<room>/<parts>/<name>.py` is tested by tests/<room>/<parts>/test_<name>.py or …/test_<parts>_<name>.py.

    tests/<room>/test_<name>.py will do as long as only one module of the room has that name.
    """
    missing = []
    sources = [source for source in sources_of(root) if source.is_house and not source.is_migration]
    modules = [source.path for source in sources if not source.path.stem.startswith("__")]
    for path in modules:
        room = "sdk" if str(path).startswith(CLIENT) else path.parts[0]
        below = path.relative_to(CLIENT if room == "sdk" else room).with_suffix("").parts
        tests = root / "tests" / room
        places = [tests.joinpath(*below[:-1], f"test_{below[-1]}.py"), tests / f"test_{'_'.join(below)}.py"]
        namesakes = [other for other in modules if other.stem == path.stem and other.parts[0] == path.parts[0]]
        if len(namesakes) == 1:
            places.append(tests / f"test_{path.stem}.py")
        if not any(place.is_file() for place in places):
            missing.append(f"{path} has no test file {places[0].relative_to(root)}")
    return missing


def packages_under_tests(root: Path) -> list[str]:
    """An `__init__.py` under tests/ would let tests/api shadow api."""
    return [str(path.relative_to(root)) for path in sorted((root / "tests").rglob("__init__.py"))]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_is_tidy(rule: Callable[[Source], Iterator[Finding]]) -> None:
    assert "\n".join(violations(ROOT, rule)) == ""


def test_every_module_has_its_tests() -> None:
    assert "\n".join(modules_without_tests(ROOT)) == ""


def test_tests_are_no_package() -> None:
    assert packages_under_tests(ROOT) == []


def test_what_is_excused_still_exists() -> None:
    texts = {str(source.path): source.text for source in sources_of(ROOT)}
    assert [path for path in LONGER_FILES if texts.get(path, "").count("\n") <= LINES_AIM] == []
    assert [key for key in EXCUSED_NAMES if key[1] not in texts.get(key[0], "")] == []


DOC = '"""Says what it is."""\n'
TMP, HOME = "/tm" + "p/x", "/ho" + "me/me"

PLANTED: list[tuple[Callable[[Source], Iterator[Finding]], str, str, str | None]] = [
    (file_is_short, "api/a.py", DOC + "\n" * 399, None),
    (file_is_short, "api/a.py", DOC + "\n" * 400, "api/a.py:401: the file has 401 lines, 400 is the most"),
    (file_is_short, "tests/a.py", "\n" * 401, "tests/a.py:401: the file has 401 lines, 400 is the most"),
    (file_is_short, "store/migrations/versions/0001.py", "\n" * 401, None),
    (functions_are_short, "api/a.py", "def a():\n" + " 1\n" * 69, None),
    (functions_are_short, "api/a.py", "def a():\n" + " 1\n" * 70, "api/a.py:1: a has 71 lines, 70 is the most"),
    (functions_are_short, "api/a.py", "async def a():\n" + " 1\n" * 70, "api/a.py:1: a has 71 lines, 70 is the most"),
    (names_say_something, "api/utils.py", DOC, "api/utils.py:1: the file is called utils.py in api"),
    (names_say_something, "api/common/__init__.py", DOC, "the file is called __init__.py in api/common"),
    (names_say_something, "api/a.py", "class JobManager: ...", "api/a.py:1: the name JobManager says nothing"),
    (names_say_something, "api/a.py", "def error_handler(): 1", "api/a.py:1: the name error_handler says nothing"),
    (names_say_something, "api/a.py", "def a(data): 1", "api/a.py:1: the name data says nothing"),
    (names_say_something, "api/a.py", "for _, item in []: 1", "api/a.py:1: the name item says nothing"),
    (names_say_something, "api/a.py", "import b as helper", "api/a.py:1: the name helper says nothing"),
    (names_say_something, "api/a.py", "a.info = 1", "api/a.py:1: the name info says nothing"),
    (names_say_something, f"{CLIENT}/a.py", "HTTPData = 1", f"{CLIENT}/a.py:1: the name HTTPData says nothing"),
    (names_say_something, "api/a.py", "metadata = log.info(a.items(), data_dir)", None),
    (docstrings_are_there, "api/a.py", "a = 1", "api/a.py:1: the module has no docstring"),
    (docstrings_are_there, "api/__init__.py", "", "api/__init__.py:1: the module has no docstring"),
    (docstrings_are_there, "api/a.py", DOC, None),
    (no_machine_is_named, "docs/a.md", f"see\n{TMP}", f"docs/a.md:2: a path of one machine: {TMP}"),
    (no_machine_is_named, "api/a.py", f'A = "{HOME}/a"', f'api/a.py:1: a path of one machine: {HOME}/a"'),
    (no_machine_is_named, "README.md", "cd /wo" + "rk/main", "README.md:1: a path of one machine: /wo" + "rk/main"),
    (no_machine_is_named, "api/a.py", "# backends/work.py and https://host/tmp", None),
    (nothing_is_unfinished, "api/a.py", "# TO" + "DO: more", "api/a.py:1: unfinished: TO" + "DO"),
    (nothing_is_unfinished, "api/a.py", "raise NotImpl" + "ementedError", "unfinished: NotImpl" + "ementedError"),
    (nothing_is_unfinished, "tests/a.py", "@pytest.mark.sk" + "ip", "a test left out: pytest.mark.sk" + "ip"),
    (no_function_is_a_stub, "api/a.py", 'def a():\n "Says."\n ...', "api/a.py:1: a is a stub"),
    (no_function_is_a_stub, "api/a.py", "class A(Protocol):\n def a(self): ...", None),
    (no_function_is_a_stub, "api/a.py", "@typing.overload\ndef a(): ...", None),
    (pydantic_stays_on_top, "store/a.py", "import pydantic", "store/a.py:1: imports pydantic"),
    (pydantic_stays_on_top, "service/a.py", "from pydantic_settings import B", "imports pydantic_settings"),
    (pydantic_stays_on_top, "service/settings.py", "import pydantic_settings", None),
    (pydantic_stays_on_top, "api/a.py", "import pydantic", None),
    (cores_are_pure, "scheduler/a.py", "def a():\n import time", "scheduler/a.py:2: imports time"),
    (cores_are_pure, "ledger/a.py", "import numpy.linalg", "ledger/a.py:1: imports numpy"),
    (cores_are_pure, "ledger/a.py", "import scheduler", "ledger/a.py:1: imports scheduler"),
    (cores_are_pure, "ledger/a.py", "from . import b", "ledger/a.py:1: imports ."),
    (cores_are_pure, "ledger/a.py", "datetime.now(UTC)", "ledger/a.py:1: reads the clock: datetime.now"),
    (cores_are_pure, "ledger/a.py", "from collections.abc import A\nfrom ledger.b import c", None),
    (only_store_speaks_sql, "dispatcher/a.py", "from sqlalchemy.engine import A", "imports sqlalchemy"),
    (only_store_speaks_sql, "store/a.py", "import sqlalchemy", None),
    (client_stands_alone, f"{CLIENT}/a.py", "from api.port import A", f"{CLIENT}/a.py:1: imports the room api"),
    (client_stands_alone, f"{CLIENT}/a.py", "import httpx", None),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "path", "text", "found"), PLANTED)
def test_each_rule_finds_what_it_is_for(
    tmp_path: Path, rule: Callable[[Source], Iterator[Finding]], path: str, text: str, found: str | None
) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(text, encoding="utf-8")
    answer = violations(tmp_path, rule)
    assert (answer == []) if found is None else (len(answer) == 1 and answer[0].endswith(found))


def test_every_rule_has_been_seen_to_fail() -> None:
    assert {rule for rule, *_, found in PLANTED if found is not None} == set(RULES)


def test_a_module_without_tests_is_found(tmp_path: Path) -> None:
    modules = ("api/a.py", "api/routes/b.py", "api/routes/c.py", "api/schemas/c.py", f"{CLIENT}/d.py", "api/e/f.py")
    exempt = ("api/__init__.py", "api/__main__.py", "store/migrations/env.py")
    tests = ("tests/api/routes/test_b.py", "tests/api/test_c.py", "tests/api/test_f.py")
    for path in (*modules, *exempt, *tests):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(DOC, encoding="utf-8")
    assert modules_without_tests(tmp_path) == [
        "api/a.py has no test file tests/api/test_a.py",
        "api/routes/c.py has no test file tests/api/routes/test_c.py",
        "api/schemas/c.py has no test file tests/api/schemas/test_c.py",
        f"{CLIENT}/d.py has no test file tests/sdk/test_d.py",
    ]


def test_a_package_under_tests_is_found(tmp_path: Path) -> None:
    (tmp_path / "tests/api").mkdir(parents=True)
    (tmp_path / "tests/api/__init__.py").write_text(DOC, encoding="utf-8")
    assert packages_under_tests(tmp_path) == ["tests/api/__init__.py"]
