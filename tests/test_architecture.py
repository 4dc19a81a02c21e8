"""The rooms of the package: who may know whom, what is public, and that everything says what it is."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys
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
    {"losses", "encoders", "images", "sounds", "signals", "volumes", "samples"},
    {"objective"},
    {"engines"},
    {"descent"},
    {"feedforward"},
    {"memory"},
    {"aims"},
    {"runs"},
    {"tasks"},
    {"studies"},
    {"jobs"},
    {"studio"},
    {"cli"},
    {"__main__"},
)
RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}
DUMPING_GROUNDS = {"utils", "util", "misc", "common", "helpers", "helper"}
IMAGE_LIBRARIES = {"PIL", "pyvips", "imageio", "cv2", "skimage"}
OPENS_IMAGES = {"images", "samples", "runs/result.py"}

PUBLIC = {
    *("Event", "ImpastoError", "Result", "Settings", "Transfer"),
    *("preview", "reconstruct", "score", "stylize", "synthesize"),
}

FILES = sorted(HOME.rglob("*.py"))
MODULES = sorted({"impasto", *(found.name for found in pkgutil.walk_packages([str(HOME)], "impasto."))})

every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOME)))
every_module = pytest.mark.parametrize("name", [name for name in MODULES if name != "impasto.__main__"])


def room_of(path):
    """The room of a file: the folder or the module right below the package."""
    return path.relative_to(HOME).parts[0].removesuffix(".py")


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
    room, names = room_of(path), list(imported(parsed(path)))
    assert not [name for name in names if name.startswith(".")], "relative imports hide which room is meant"
    if room == "__init__":
        return
    assert room in RANK, f"the room {room!r} has no layer yet; give it one in LAYERS"
    for name in names:
        package, *rest = name.split(".")
        if package != "impasto" or rest[:1] in ([], ["__version__"]):
            continue
        known = rest[0]
        assert known == room or RANK[known] < RANK[room], f"{room} must not know {known} (import of {name})"


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
def test_there_is_no_dumping_ground(path):
    """Every module is named after what is in it."""
    assert not {part.removesuffix(".py") for part in path.relative_to(HOME).parts} & DUMPING_GROUNDS


@every_file
def test_code_fits_on_a_screen(path):
    """Files have at most 500 lines, and most far fewer; functions at most 60."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500
    for function in functions(parsed(path)):
        assert function.end_lineno - function.lineno < 60, function.name


def test_functions_are_short():
    """Half of them have fewer than 15 lines."""
    lengths = sorted(f.end_lineno - f.lineno + 1 for path in FILES for f in functions(parsed(path)))
    assert lengths[len(lengths) // 2] < 15


def test_public_names_are_those_documented():
    """No more and no fewer, each of which resolves, and can be counted on the fingers."""
    assert set(impasto.__all__) == PUBLIC
    assert list(impasto.__all__) == sorted(impasto.__all__)
    assert len(PUBLIC) <= 10
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
