"""The benchmarks still fit the package: each runs through on something tiny and prints what it is to find."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from impasto.samples import photo

FOLDER = Path(__file__).parent.parent / "benchmarks"
PAIR = (str(photo("coffee")), str(photo("rocket")))
QUICK = {
    "descents": ((*PAIR, "--size", "64", "--coarse", "--last", "2"), '"loss"'),
}
LONGER = {
    "evaluation": (("--size", "32", "--rounds", "1", "--evaluations", "1"), '"auto"'),
    "large_images": (("--megapixels", "0.05", "--untiled", "0.05"), "peak resident"),
    "neural_style": ((*PAIR, "--size", "64", "--evaluations", "2"), '"as saved"'),
    "patches": (("--counts", "4", "--size", "64", "--layer", "conv1_1"), '"pictures": 4'),
    "pairs": ((".", "--size", "64", "--evaluations", "2", "--ours", "2", "--pairs", "1"), '"usual"'),
    "ranks": (("--size", "64", "--evaluations", "1", "--rounds", "1"), "gradient"),
    "roofline": (("--size", "32"), "conv5_1 Gram gradient"),
    "scales": (("--small", "128", "--large", "256"), "preview"),
    "time_to_loss": ((*PAIR, "--evaluations", "2", "--plain", "1", "--side", "64"), '"delivered"'),
}


JUDGE = """class Judge:
    def __init__(self, weights): pass
    def lpips(self, picture, photo): return float((picture - photo).abs().mean())
    def style(self, picture, painting): return float((picture.mean() - painting.mean()).abs()), 0.0
"""


def check(name: str, arguments: tuple[str, ...], printed: str, folder: Path) -> None:
    """Run a script in an empty folder."""
    command = [sys.executable, str(FOLDER / f"{name}.py"), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert printed in done.stdout


@pytest.mark.parametrize("name", QUICK)
def test_quick_benchmarks_run(name: str, tmp_path: Path) -> None:
    """The benchmarks that need seconds."""
    check(name, *QUICK[name], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", LONGER)
def test_longer_benchmarks_run(name: str, tmp_path: Path) -> None:
    """Those whose processes begin several times, or that measure the machine too."""
    check(name, *LONGER[name], tmp_path)


@pytest.mark.slow
def test_the_picture_is_judged(tmp_path: Path) -> None:
    """By whatever lies beside photos and paintings; what is there already is not made again."""
    for folder, picture in (("photos", PAIR[0]), ("paintings", PAIR[1])):
        (tmp_path / folder).mkdir()
        with Image.open(picture) as opened:
            opened.resize((96, 64)).save(tmp_path / folder / "00.png")
    (tmp_path / "judge.py").write_text(JUDGE, encoding="utf-8")
    words = (str(tmp_path), "--out", "out", "--methods", "ours", "preview", "--pairs", "1", "--size", "64")
    check("quality", (*words, "--strengths", "0.4", "0.6"), '"lpips spread"', tmp_path)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "ours",
        "preview",
        "curve.png",
        "ours.jpg",
        "preview.jpg",
    }
    made = tmp_path / "out" / "ours" / "64" / "00_00-0.4.png"
    before = made.stat().st_mtime_ns
    check("quality", (*words, "--strengths", "0.4"), '"lpips spread"', tmp_path)
    assert made.stat().st_mtime_ns == before
