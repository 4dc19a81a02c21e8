"""The rooms of the package: who may know whom, what is public, and that everything says what it is."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

import impasto

HOME = Path(impasto.__file__).parent

# Rooms by layer, as in docs/architecture.md. Imports point to a lower layer only, or stay in their room.
LAYERS = (
    {"errors"},
    {"files", "libraries", "storage"},
    {"choices"},
    {
        "settings",
        "panels",
        "machine",
        "sampling",
        "quality",
        "judge",
        "statistics",
        "tiling",
        "pyramid",
        "color",
        "masks",
        "optimizers",
    },
    {"tasks"},
    {"losses", "encoders", "images", "sounds", "signals", "volumes", "samples"},
    {"videos"},
    {"media"},
    {"objective"},
    {"engines"},
    {"descent"},
    {"feedforward"},
    {"memory"},
    {"aims"},
    {"runs"},
    {"studies"},
    {"jobs"},
    {"studio"},
    {"cli/terminal"},
    {"cli/options"},
    {"cli/commands"},
    {"cli"},
    {"__main__"},
)
RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}
# A shell completes all commands, so the command that prints how knows the whole command line.
EXCEPTIONS = {("cli/commands/completion.py", "impasto.cli.app")}
LARGEST_SHARE = 0.15
"""Of the package's lines in one room."""
IMAGE_LIBRARIES = {"PIL", "pyvips", "imageio", "cv2", "skimage"}
OPENS_IMAGES = {"images", "samples", "videos", "runs/result.py"}

PUBLIC = {
    *("Event", "ImpastoError", "Result", "Settings", "Transfer"),
    *("preview", "reconstruct", "score", "stylize", "stylize_video", "synthesize"),
}

# What rooms of files do alike: the same for another kind of file.
ALIKE = {
    *("beside_name", "check_size", "check_writable", "encode", "read", "read_notes", "read_recipe", "upright", "write"),
    *("descriptive", "parse"),  # of EXIF and of XMP
    *("orientation", "resolution"),  # as EXIF says it and as a file's own header does
    *("prepared", "prepared_texture"),  # of every task, at the address that it names
    *("main", "routes"),  # of every program, and of every part of an API
}
DOCUMENTED = {"_exit", "_replace"}
"""Names of the standard library that are public all the same."""

FILES = sorted(HOME.rglob("*.py"))
TESTS = sorted(Path(__file__).parent.rglob("*.py"))
MODULES = sorted({"impasto", *(found.name for found in pkgutil.walk_packages([str(HOME)], "impasto."))})

every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOME)))
every_module = pytest.mark.parametrize("name", [name for name in MODULES if name != "impasto.__main__"])


def room_of(path):
    """The room of a file: the folder or the module right below the package; the command line is three rooms."""
    place = path.relative_to(HOME)
    return _room(place.with_suffix("").parts)


def _room(parts):
    return "/".join(parts[:2]) if "/".join(parts[:2]) in RANK else parts[0]


def parsed(path):
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(tree):
    """The dotted names that a file imports, wherever it does; ``from a import b`` is ``a.b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)


def functions(tree):
    """All functions and methods of a file."""
    return [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


@every_file
def test_imports_point_down(path):
    """A room knows lower rooms and itself; of the package as a whole it knows only the version."""
    place, room, names = str(path.relative_to(HOME)), room_of(path), list(imported(parsed(path)))
    assert not [name for name in names if name.startswith(".")], "relative imports hide which room is meant"
    if room == "__init__":
        return
    assert room in RANK, f"the room {room!r} has no layer yet; give it one in LAYERS"
    above = []
    for name in names:
        package, *rest = name.split(".")
        if package != "impasto" or rest[:1] in ([], ["__version__"]) or (place, name) in EXCEPTIONS:
            continue
        known = _room(rest)
        if known != room and RANK[known] >= RANK[room]:
            above.append(name)
    assert not above, f"{room} must not know {above}"


def test_no_modules_know_each_other():
    """There is an order in which all modules can be read, each after those that it imports, be it for types alone."""
    files = {_dotted(path): path for path in FILES}
    known = {own: set() for own in files}
    for own, path in files.items():
        place = str(path.relative_to(HOME))
        for name in (name for name in imported(parsed(path)) if (place, name) not in EXCEPTIONS):
            module = name if name in files else name.rpartition(".")[0]
            if module not in (own, "impasto"):  # which is asked for its version
                known[own].add(module)
    left = set(known)
    while ends := {name for name in left if not known[name] & left or not any(name in known[of] for of in left)}:
        left -= ends
    assert left == set()


def _dotted(path):
    """The name that a file is imported by."""
    return ".".join(("impasto", *path.relative_to(HOME).with_suffix("").parts)).removesuffix(".__init__")


def test_no_room_is_a_dumping_ground():
    """None holds more than a seventh or so of the package, or nobody could say what lives there."""
    lines = Counter()
    for path in FILES:
        lines[room_of(path)] += len(path.read_text(encoding="utf-8").splitlines())
    assert {room: count for room, count in lines.items() if count > LARGEST_SHARE * lines.total()} == {}


def test_a_name_means_one_thing():
    """A public class or function is called what no other is; a command is called after what it does."""
    from impasto.cli import COMMANDS

    homes = defaultdict(set)
    for path in FILES:
        place = str(path.relative_to(HOME))
        for node in parsed(path).body:
            named = isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            command = room_of(path) == "cli/commands" and _is_command(node, path, COMMANDS)
            if named and not node.name.startswith("_") and not command:
                homes[node.name].add(place)
    twice = {name: places for name, places in homes.items() if len(places) > 1 and name not in ALIKE}
    assert twice == {}
    assert {name for name in ALIKE if len(homes[name]) < 2} == set(), "no longer alike"


def _is_command(node, path, commands):
    """Whether a function is what a command line calls: registered by name, or decorated."""
    if not isinstance(node, ast.FunctionDef):
        return False
    registered = {home for home, *_ in commands.values()}
    decorated = any(re.match(r"\w+\.(command|default)\b", ast.unparse(mark)) for mark in node.decorator_list)
    return decorated or f"{path.parent.name if path.stem == '__init__' else path.stem}:{node.name}" in registered


def test_a_room_says_what_lives_there():
    """In at most three lines."""
    for path in FILES:
        if path.name == "__init__.py" and path.parent != HOME:
            said = [line for line in (ast.get_docstring(parsed(path)) or "").splitlines() if line]
            assert 1 <= len(said) <= 3, path


def test_tests_know_public_names_alone():
    """So that they hold whatever becomes of the insides."""
    home = Path(__file__).parent
    found = {str(path.relative_to(home)): set(_private(parsed(path))) for path in TESTS}
    assert {place: names for place, names in found.items() if names} == {}


def _private(tree):
    """The private names of other modules that a test takes, imports or replaces."""
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Attribute) and not (
            isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
        ):
            names = [node.attr]
        elif isinstance(node, ast.ImportFrom):
            names = [part for alias in node.names for part in (*(node.module or "").split("."), alias.name)]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("attr", "setitem", "delitem")):
            words = [word.value for word in node.args[:2] if isinstance(word, ast.Constant)]
            names = [part for word in words if isinstance(word, str) for part in word.split(".")]
        yield from (name for name in names if re.fullmatch(r"_[^_]\w*(?<!_)", name) and name not in DOCUMENTED)


@every_file
def test_package_is_only_asked_for_its_version(path):
    """``import impasto`` would be a way around the layers; only above the tasks are its public names known."""
    used = {
        node.attr
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "impasto"
    }
    above = RANK.get(room_of(path), 0) > RANK["studies"]
    assert used <= {"__version__", *(PUBLIC if above else ())}


@every_file
def test_only_the_image_room_opens_image_files(path):
    """Everything else works on tensors."""
    place = path.relative_to(HOME)
    if place.parts[0] in OPENS_IMAGES or str(place) in OPENS_IMAGES:
        return
    assert not {name.split(".")[0] for name in imported(parsed(path))} & IMAGE_LIBRARIES


@every_file
def test_only_the_volume_room_opens_volume_files(path):
    """Libraries for volumes are named in that room alone; records of signals may be DICOM, too."""
    named = {node.value for node in ast.walk(parsed(path)) if isinstance(node, ast.Constant)}
    used = (named | {name.split(".")[0] for name in imported(parsed(path))}) & {"nibabel", "tifffile", "pydicom"}
    assert room_of(path) == "volumes" or not used - ({"pydicom"} if room_of(path) == "signals" else set())


@every_file
def test_code_fits_on_a_screen(path):
    """Files have at most 500 lines, and most far fewer; functions at most 60."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500
    for function in functions(parsed(path)):
        assert function.end_lineno - function.lineno < 60, function.name


def test_public_names_are_those_documented():
    """No more and no fewer, each of which resolves, and few."""
    assert set(impasto.__all__) == PUBLIC
    assert list(impasto.__all__) == sorted(impasto.__all__)
    assert len(PUBLIC) <= 12
    for name in PUBLIC:
        found = getattr(impasto, name)
        assert found.__name__ == name
        assert inspect.getdoc(found)
        assert name in dir(impasto)


def test_other_names_are_not_there():
    """As from any module."""
    with pytest.raises(AttributeError, match="module 'impasto' has no attribute 'paint'"):
        _ = impasto.paint


@every_module
def test_everything_public_says_what_it_is(name):
    """Modules, functions, classes and their methods have docstrings, their own or that of the method they fulfill."""
    module = importlib.import_module(name)
    if module.__file__ and Path(module.__file__).stat().st_size:
        assert module.__doc__, f"the module {name}"
    for key, value in vars(module).items():
        if key.startswith("_") or getattr(value, "__module__", None) != name:
            continue
        if inspect.isfunction(value) or inspect.isclass(value):
            assert inspect.getdoc(value), f"{name}.{key}"
        for method, member in vars(value).items() if inspect.isclass(value) else ():
            written = inspect.isfunction(member) or isinstance(member, (property, classmethod, staticmethod))
            if written and not method.startswith("_"):
                assert inspect.getdoc(getattr(value, method)), f"{name}.{key}.{method}"


@every_module
def test_examples_in_docstrings_hold(name):
    """What they print is what they say."""
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_settings_do_without_torch():
    """So that the command line can show its options at once."""
    code = "import sys, impasto, impasto.settings, impasto.errors, impasto.choices; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
