"""Files of some twenty commands, to compare two versions of impasto that should write the same.

    python benchmarks/same_bytes.py OUT [--python PYTHON] [--against OTHER]

It runs small commands of every kind (styles, masks, colors, textures, reconstructions, sounds, signals, volumes, figures,
previews, a run that is stopped and goes on, two processes) with the interpreter PYTHON, whose impasto is the one that is
asked, puts their files into OUT, and prints the SHA-256 of each. With ``--against`` it names the files that differ from those
of an earlier run in OTHER, whose inputs it takes, and exits with 1 if there are any. Files that OUT has are not made again. Both must be made on one machine with one number of threads.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

from impasto import images, samples
from impasto.pyramid import resize

QUICK = ("--size", "96", "--coarsest", "48", "--evaluations", "6")
SOUND = ("--evaluations", "4", "--filters", "64")

COMMANDS = {
    "default.png": "stylize photo.png glass.png --size 96",
    "styles.png": f"stylize photo.png glass.png swirl.png --blend 1,2 --smoothness 0.1 {' '.join(QUICK)}",
    "weights.jpg": f"stylize photo.png glass.png --content-weight 1 --style-weight 100 {' '.join(QUICK)}",
    "paper.png": f"stylize photo.png swirl.png --preset paper {' '.join(QUICK)}",
    "masks.png": f"stylize photo.png glass.png swirl.png --mask left.png --mask rest --protect top.png {' '.join(QUICK)}",
    "colors.png": f"stylize photo.png swirl.png --color luminance --photorealism 1e-4 --sharpness 0.1 {' '.join(QUICK)}",
    "panorama.png": f"stylize photo.png swirl.png --padding equirectangular {' '.join(QUICK)}",
    "losses.png": f"stylize photo.png swirl.png --style-losses gram,moments,wasserstein,patches {' '.join(QUICK)}",
    "tiles.png": "stylize photo.png swirl.png --size 512 --coarsest 256 --evaluations 3 --memory 700MB",
    "processes.png": "stylize photo.png swirl.png --size 256 --coarsest 128 --evaluations 3",
    "texture.png": f"texture glass.png {' '.join(QUICK)}",
    "tileable.png": "texture glass.png --tileable --size 96 --coarsest 48 --evaluations 6 --style-layers conv1_1,conv2_1",
    "sum.png": f"texture glass.png --style-weight 1 {' '.join(QUICK)}",
    "reconstruct.png": f"reconstruct photo.png --layer conv2_1 {' '.join(QUICK)}",
    "sound.wav": f"sound stylize low.wav high.wav {' '.join(SOUND)}",
    "sound_texture.wav": f"sound texture high.wav --seconds 1 {' '.join(SOUND)}",
    "signal.csv": "signal stylize one.csv two.csv --evaluations 4",
    "signal_texture.csv": "signal texture two.csv --samples 700 --evaluations 4",
    "solid.nii": "volume texture glass.png --size 32 --evaluations 3",
    "volume.nii": "volume stylize block.nii glass.png --size 24 --evaluations 3",
    "neural.png": "neural-style -content_image photo.png -style_image glass.png -image_size 96 -num_iterations 8 -seed 5 -output_image",
    "figure.png": "figure initialization photo.png glass.png --size 64 --evaluations 3",
    "preview.png": "preview photo.png swirl.png --size 128",
    "explore.png": "explore photo.png glass.png --size 64 --strengths 0.3,0.6 --scales 1",
    "resumed.png": f"stylize photo.png glass.png --init noise --checkpoint saved {' '.join(QUICK)}",
    "again.png": "rerun masks.png",
}

INPUTS = {
    *("photo.png", "glass.png", "swirl.png", "left.png", "top.png"),
    *("low.wav", "high.wav", "one.csv", "two.csv", "block.nii"),
}


def _inputs(out: Path) -> None:
    """Bundled pictures, and masks, sounds, signals and a volume made by code."""
    photo = images.read(samples.photo("chelsea")).pixels
    images.write(out / "photo.png", resize(photo, (160, 240)), recipe=None)
    for name in ("glass", "swirl"):
        painting = images.read(samples.painting(name)).pixels
        images.write(out / f"{name}.png", resize(painting, (160, 200)), recipe=None)
    for name, where in (("left", np.s_[:, :120]), ("top", np.s_[:30, :])):
        part = torch.zeros(1, 3, 160, 240)
        part[:, :, *where] = 1.0
        images.write(out / f"{name}.png", part, recipe=None)
    times = np.arange(16000) / 8000
    chance = np.random.default_rng(0)
    for name, rate in (("low", 220.0), ("high", 700.0)):
        import soundfile

        wave = 0.4 * np.sin(2 * np.pi * rate * times * (1 + 0.1 * np.sin(6 * times))) + 0.02 * chance.normal(size=16000)
        soundfile.write(out / f"{name}.wav", wave, 8000)
    for name, rate in (("one", 3.0), ("two", 11.0)):
        rows = [f"{n / 100:.2f},{np.sin(rate * n / 100) + 0.1 * chance.normal():.5f}" for n in range(600)]
        (out / f"{name}.csv").write_text("\n".join(("time,I", *rows)) + "\n")
    import nibabel

    grid = np.indices((32, 32, 32)).sum(0)
    voxels = (np.sin(grid / 4) * 400 + 500).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), out / "block.nii")  # type: ignore[no-untyped-call]


def _command(python: str, name: str, words: str) -> list[str]:
    """A command line whose file is ``name``."""
    given = [python, "-m", "impasto", *words.split()]
    if name == "processes.png":
        given = [python, "-m", "torch.distributed.run", "--nproc-per-node", "2", *given[1:]]
    return [*given, *([] if words.endswith("-output_image") else ["-o"]), name]


def made(out: Path, python: str, against: Path | None) -> dict[str, str]:
    """The digests of the files of all commands, by name."""
    out.mkdir(parents=True, exist_ok=True)
    if against is None:
        _inputs(out)
    for name in INPUTS:
        if against is not None:
            shutil.copy(against / name, out / name)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for name, words in COMMANDS.items():
        if (out / name).exists():
            continue
        line = _command(python, name, words)
        if name == "resumed.png":  # stopped by a kill, and gone on with
            with subprocess.Popen(line, cwd=out, env=environment, stderr=subprocess.DEVNULL) as run:
                try:
                    run.wait(6)
                except subprocess.TimeoutExpired:
                    run.kill()
        done = subprocess.run(line, cwd=out, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{name}: {done.stderr[-2000:]}")
        print(name, flush=True)
    files = sorted(path for path in out.iterdir() if path.is_file() and path.name not in INPUTS)
    return {path.name: digest(path) for path in files}


def digest(path: Path) -> str:
    """The SHA-256 of a file, without the time that a file of numbers says a figure and its cells took."""
    data = path.read_bytes()
    if path.suffix == ".json":
        data = re.sub(rb'"seconds": [0-9.e-]+', b"", data)
    return hashlib.sha256(data).hexdigest()


def main() -> None:
    """Make the files, print their digests, and compare them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--against", type=Path)
    options = parser.parse_args()
    found = made(options.out, options.python, options.against)
    for name, own in found.items():
        print(own, name)
    if options.against is not None:
        before = {name: digest(options.against / name) for name in found}
        differ = [name for name, own in found.items() if before[name] != own]
        print(
            f"{len(found) - len(differ)} of {len(found)} files are the same"
            + "".join(f"\n  not {name}" for name in differ)
        )
        sys.exit(bool(differ))


if __name__ == "__main__":
    main()
