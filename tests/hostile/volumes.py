"""Volumes: every format that is read, and what is done to them."""

import gzip
import io
import random
import struct
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import dicoms
import nibabel
import numpy as np
import tifffile
import torch
from bytewise import changed, odd_integer
from cases import MEGABYTE, READ, REFUSED, WRITTEN, FaultError, Medium, Odd, sentence_of
from containers import odd_text
from tags import changed_tiff

from impasto import volumes
from impasto.volumes.reading import holds_volume

_SUFFIXES = (".nii", ".nii.gz", ".tif", ".npy", "")
_RECIPE = {"impasto": "0.1.0", "task": "volume stylize", "note": "\u00a9"}


def _samples(kind: Any = np.int16, *, colors: bool = False) -> Any:
    shape = (4, 6, 7, 3) if colors else (4, 6, 7)
    return np.random.default_rng(0).integers(0, 120, shape).astype(kind)


@cache
def _nifti(kind: str, *, second: bool = False) -> bytes:
    affine = np.array([[0.0, 0.0, 2.0, -10.0], [-1.5, 0.0, 0.0, 20.0], [0.0, 1.25, 0.0, -30.0], [0.0, 0.0, 0.0, 1.0]])
    if kind == "rgb":
        samples = _samples(np.uint8, colors=True).view([(name, "u1") for name in "RGB"])[..., 0]
    else:
        samples = _samples(kind)
    image = (nibabel.Nifti2Image if second else nibabel.Nifti1Image)(
        np.swapaxes(samples, 0, 2), affine, dtype=samples.dtype
    )
    return bytes(image.to_bytes())


_FIELDS = {  # of a NIfTI-1 header: where, how, how many
    "sizeof_hdr": (0, "i", 1), "dim_info": (39, "B", 1), "dim": (40, "h", 8), "datatype": (70, "h", 1), "bitpix": (72, "h", 1),
    "pixdim": (76, "f", 8), "vox_offset": (108, "f", 1), "scl_slope": (112, "f", 1), "scl_inter": (116, "f", 1),
    "xyzt_units": (123, "B", 1), "cal_max": (124, "f", 1), "qform_code": (252, "h", 1), "sform_code": (254, "h", 1),
    "quatern": (256, "f", 6), "srow": (280, "f", 12), "magic": (344, "B", 4), "extension": (348, "B", 4), "esize": (352, "i", 2),
}  # fmt: skip


def _odd_nifti(rng: random.Random, story: list[str]) -> bytes:
    kind = rng.choice(("int16", "uint8", "float32", "float64", "int32", "uint16", "complex64", "rgb", "int8"))
    second = rng.random() < 0.15
    data, story[:] = bytearray(_nifti(kind, second=second)), [f"NIfTI of {kind}"]
    for _ in range(0 if second else rng.randint(0, 3)):
        name = rng.choice(sorted(_FIELDS))
        start, letter, count = _FIELDS[name]
        size, at = struct.calcsize(letter), rng.randrange(count)
        if letter == "f":
            value: Any = rng.choice((0.0, -1.0, float("nan"), float("inf"), 1e-30, 1e30, 352.0, 348.0, 1e9, 2.0))
        else:
            value = rng.choice(
                (odd_integer(rng, size * 8), 0, 1, 2, 3, 4, 5, 7, 16, 128, 256, 512, 768, 1024, 1792, 2304)
            )
            value = value % 2 ** (8 * size) - (2 ** (8 * size) if letter != "B" and value >= 2 ** (8 * size - 1) else 0)
            value = max(-(2 ** (8 * size - 1)), value) if letter != "B" else value % 256
        struct.pack_into(f"<{letter}", data, start + at * size, value)
        story.append(f"{name}[{at}] is {value}")
    if rng.random() < 0.2:
        text = odd_text(rng)
        block = (
            struct.pack("<ii", rng.choice((len(text) + 8, 0, -8, 2**31 - 1, 15)), rng.choice((6, 2, 4, 0, 44))) + text
        )
        data[348:352] = b"\1\0\0\0"
        data[352:352] = block
        struct.pack_into("<f", data, 108, 352.0 + len(block))
        story.append(f"an extension {block[:30]!r}")
    return bytes(data)


def _squeezed(rng: random.Random, data: bytes, story: list[str]) -> bytes:
    """As gzip: whole, twice, cut, with more behind it, or far more than it should be."""
    plain = gzip.compress(data, mtime=0)
    story.append("gzip")
    match rng.randrange(8):
        case 0:
            story.append("twice")
            return gzip.compress(plain, mtime=0)
        case 1:
            return plain[: rng.randrange(len(plain))]
        case 2:
            return plain + rng.choice((plain, b"\0" * 20, b"more"))
        case 3:
            story.append("with 300 MB of zeros behind")
            return gzip.compress(data + bytes(300 * MEGABYTE), 1, mtime=0)
        case 4:
            return changed(rng, plain, story)
    return plain


def _odd_npy(rng: random.Random, story: list[str]) -> bytes:
    stream = io.BytesIO()
    kind = rng.choice(
        ("i1", "u1", "i2", "u2", "i4", "i8", "u8", "f2", "f4", "f8", "?", "c8", "M8[s]", "U3", "S2", ">f4", ">i2", "f4")
    )
    samples = _samples("i4", colors=rng.random() < 0.3)
    samples = samples.astype("U3") if kind[0] == "U" else samples.astype(kind)
    if samples.dtype.kind == "f" and rng.random() < 0.4:
        samples.reshape(-1)[rng.choice((0, 5))] = rng.choice((np.nan, np.inf, 3e38, 6e4, -1e-40))
    if rng.random() < 0.2:
        samples = rng.choice((samples[:1], samples[0], samples[:, :1], samples[:0], samples.reshape(-1), samples * 0, samples[None])) \
            if samples.dtype.kind in "iuf" else samples  # fmt: skip
    np.save(stream, np.asfortranarray(samples) if rng.random() < 0.2 else samples)
    data, story[:] = stream.getvalue(), [f"NPY of {kind} {samples.shape}"]
    if rng.random() < 0.4:
        shape = rng.choice(
            (
                "(0,)",
                "()",
                "(-1, 6, 7)",
                "(2147483648, 2, 2)",
                "(4, 6, 99999999)",
                "(4.0, 6, 7)",
                "(4, 6, 7, 3, 1)",
                "[4]",
                "(1e3,)",
            )
        )
        form = rng.choice(
            ("<i2", "|O", "|V8", "nonsense", "<f16", "[('a', '<i2')]", "<i2", "|b1", "|V0", "<U999999999")
        )
        form = form if form[0] == "[" else f"'{form}'"
        header = f"{{'descr': {form}, 'fortran_order': {rng.choice(('False', 'True', '3'))}, 'shape': {shape}, }}"
        header = rng.choice((header, header, header, header + " " * 70_000, "(" * 300, "", "{}", header[:-3]))
        version = rng.choice((b"\1\0", b"\1\0", b"\2\0", b"\3\0", b"\x09\0"))
        length = struct.pack("<H" if version[0] == 1 else "<I", (len(header) + 1) % 65536)
        data = b"\x93NUMPY" + version + length + header.encode() + b"\n" + bytes(400)
        story.append(f"header {header[:150]}")
    return data


@cache
def _tiff(kind: str) -> bytes:
    stream = io.BytesIO()
    options: dict[str, Any] = {
        "imagej": {"imagej": True, "metadata": {"axes": "ZYX", "spacing": 2.0, "unit": "um"}, "resolution": (2.0, 3.0)},
        "ome": {
            "ome": True,
            "metadata": {"axes": "ZYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 2.0},
        },
        "colors": {"photometric": "rgb", "compression": "zlib"},
        "white": {"photometric": "miniswhite"},
        "big": {"bigtiff": True},
        "palette": {"photometric": "palette", "colormap": np.zeros((3, 256), np.uint16)},
    }.get(kind, {})
    colors, dtype = (
        kind == "colors",
        "uint8" if kind in ("palette", "colors") else "float32" if kind == "real" else "uint16",
    )
    tifffile.imwrite(stream, _samples(dtype, colors=colors), **options)
    return stream.getvalue()


def _odd_tiff(rng: random.Random, story: list[str]) -> bytes:
    kind = rng.choice(("plain", "imagej", "ome", "colors", "white", "big", "palette", "real"))
    data, story[:] = _tiff(kind), [f"TIFF {kind}"]
    if kind in ("ome", "imagej") and rng.random() < 0.5:
        words = [
            b"0.5",
            b"2.0",
            b"ZYX",
            b"XYZCT",
            b"SizeZ",
            b"um",
            b"spacing",
            b"images",
            b"uint16",
            b"OME",
            b"</Image>",
            b"PhysicalSizeY",
        ]
        old = rng.choice([word for word in words if word in data])
        new = rng.choice((b"nan", b"-1", b"", b"\xff\xfe", b"&lol;", b"9" * 30, b"<", b"0", b"inf"))[: len(old)].ljust(
            len(old)
        )
        story.append(f"{old!r} becomes {new!r}")
        return data.replace(old, new, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return changed_tiff(rng, data, story)


def make(rng: random.Random) -> Odd:
    """A volume with something odd about it."""
    story: list[str] = []
    maker, name = rng.choice(
        (
            (_odd_nifti, "volume.nii"),
            (_odd_nifti, "volume.nii.gz"),
            (_odd_npy, "volume.npy"),
            (_odd_tiff, "volume.tif"),
            (None, ""),
            (None, ""),
        )
    )
    if maker is None:
        return _dicom(rng)
    data = maker(rng, story)
    if rng.random() < 0.25:
        data = changed(rng, data, story)
    if name.endswith(".gz"):
        data = _squeezed(rng, data, story)
    if rng.random() < 0.05:
        name = rng.choice(("volume.nii", "volume.tif", "volume.npy", "volume.nii.gz", "volume.dcm", "volume"))
    files = {name: data}
    if name.endswith(".npy") and rng.random() < 0.3:
        files[f"{name}.json"] = (
            odd_text(rng) if rng.random() < 0.6 else b'{"affine": [[0, 1], [NaN]], "window": "x", "recipe": 3}'
        )
        story.append("notes beside it")
    return Odd(files, name, story)


def _dicom(rng: random.Random) -> Odd:
    kind = rng.choice(sorted(dicoms.KINDS))
    items, story = dicoms.KINDS[kind](), [f"DICOM {kind}"]
    touched = items if rng.random() < 0.3 else [rng.choice(items)]
    chance, odds, own = rng.random(), {}, []
    for item in touched:
        own = []
        odds |= dicoms.odd_elements(random.Random(chance), item, own)  # the same in all of them
    files = {
        f"series/{number:02d}.dcm": dicoms.stored(random.Random(chance), item, odds, own)
        for number, item in enumerate(items)
    }
    story += own[: -len(items) + 1] if len(items) > 1 else own
    if rng.random() < 0.2:
        name = rng.choice(sorted(files))
        files[name] = rng.choice(
            (b"", files[name][: rng.randrange(len(files[name]))], changed(rng, files[name], story), b"text")
        )
    if rng.random() < 0.1:
        files["series/DICOMDIR"] = rng.randbytes(200)
    if len(files) == 1 and rng.random() < 0.5:
        return Odd({"frames.dcm": next(iter(files.values()))}, "frames.dcm", story)
    return Odd(files, "series", story)


def attempt(odd: Odd, path: Path, out: Path, rng: random.Random) -> str:
    """Read it, and write what a run would make of it."""
    for look in (volumes.read_notes, holds_volume):
        sentence_of(look, path)
    volume, _ = sentence_of(volumes.read, path, window=rng.choice((None, None, None, (0.0, 50.0), (-500.0, 500.0))))
    if volume is None:
        return REFUSED
    voxels = volume.voxels
    if not bool(torch.isfinite(voxels).all()) or float(voxels.min()) < 0 or float(voxels.max()) > 1:
        raise FaultError("voxels beyond 0 and 1")
    tiny = volume.like(torch.rand(1, 3, 2, 3, 4, generator=torch.Generator().manual_seed(1)), color=rng.random() < 0.2)
    target = out / f"result{rng.choice(_SUFFIXES)}"
    _, refusal = sentence_of(volumes.check_writable, target, tiny)
    if refusal is not None:
        return READ
    volumes.write(target, tiny, recipe=_RECIPE)
    if volumes.read(target).shape != (2, 3, 4):
        raise FaultError(f"{target.name} has another shape")
    if volumes.read_notes(target) is None:
        raise FaultError(f"{target.name} does not say how it was made")
    return WRITTEN


MEDIUM = Medium(make, attempt, 300 * MEGABYTE)
