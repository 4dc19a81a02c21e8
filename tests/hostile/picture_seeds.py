"""Small sound pictures of every format and kind, that odd ones are made from."""

import io
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pyvips
import tifffile
from PIL import Image, ImageCms, PngImagePlugin

from impasto.images import write as write_picture


def _noise(*shape: int, dtype: Any = np.uint8) -> Any:
    generator = np.random.default_rng(0)
    return generator.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def _pillow(mode: str, kind: str, **options: Any) -> bytes:
    bands = len(Image.new(mode, (1, 1)).getbands())
    array = _noise(11, 13, bands) if bands > 1 else _noise(11, 13)
    image = (
        Image.fromarray(array).convert(mode)
        if bands in (1, 3)
        else Image.fromarray(array, mode="RGBA" if bands == 4 else "LA")
    )
    if mode in ("CMYK", "YCbCr"):
        image = Image.fromarray(_noise(11, 13, 3)).convert(mode)
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _palette(kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(_noise(11, 13, 3)).quantize(9).save(stream, kind, **options)
    return stream.getvalue()


def _frames(kind: str, count: int, **options: Any) -> bytes:
    stream = io.BytesIO()
    first, *others = (Image.fromarray(_noise(11, 13, 3) // (number + 1)) for number in range(count))
    first.save(stream, kind, save_all=True, append_images=others, **options)
    return stream.getvalue()


def _vips(suffix: str, bands: int, dtype: Any = np.uint8, interpretation: str = "srgb", **options: Any) -> bytes:
    image = pyvips.Image.new_from_array(_noise(11, 13, bands, dtype=dtype), interpretation=interpretation)
    return bytes(image.write_to_buffer(suffix, **options))


def _tiff(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **options)
    return stream.getvalue()


def _described() -> dict[str, Any]:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112], exif[0x8298], exif[0x011A], exif[0x011B] = "Maker", 6, "someone", 300.0, 300.0
    exif.get_ifd(0x8769)[0x829A] = 0.01
    exif.get_ifd(0x8825)[1] = "N"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return {"exif": exif.tobytes(), "icc_profile": profile, "dpi": (72, 96)}


def _texts() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Title", "a title", zip=True)
    info.add_itxt("Copyright", "\u00a9 J\u00f6rg", zip=True)
    info.add_text("impasto", '{"impasto": "0.1.0", "task": "stylize"}')
    return info


def _profiled(name: str, suffix: str, bands: int) -> bytes:
    profile = bytes(pyvips.Operation.call("profile_load", name))
    image = pyvips.Image.new_from_array(_noise(11, 13, bands), interpretation="cmyk" if bands == 4 else "srgb").copy()
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return bytes(image.write_to_buffer(suffix))


def _own(suffix: str) -> bytes:
    import torch

    stream = io.BytesIO()
    tiny = torch.rand(1, 3, 9, 8, generator=torch.Generator().manual_seed(0))
    write_picture(stream, tiny, format=suffix, recipe={"impasto": "0.1.0", "task": "stylize"}, parameters="words")
    return stream.getvalue()


def _mpo() -> bytes:
    return _frames("MPO", 2)


def _bmp(bits: int, *, compression: int = 0, head: int = 40) -> bytes:
    colors = struct.pack("<IIII", 0, 0xFF, 0xFF00, 0xFFFFFF)[: 4 * 2 ** min(bits, 2)] if bits <= 8 else b""
    colors = (
        colors.ljust(4 * 2**bits, b"\x55")
        if bits <= 8
        else struct.pack("<III", 0xF800, 0x7E0, 0x1F)
        if compression == 3
        else b""
    )
    row = (13 * bits + 31) // 32 * 4
    pixels = bytes(range(256)) * (row * 11 // 256 + 1)
    pixels = pixels[: row * 11] if compression != 1 else b"\x0d\x01\0\0" * 11 + b"\0\1"
    if head == 12:
        info = struct.pack("<IHHHH", 12, 13, 11, 1, bits)
        colors = b"".join(colors[at : at + 3] for at in range(0, len(colors), 4))
    else:
        info = struct.pack("<IiiHHIIiiII", 40, 13, 11, 1, bits, compression, len(pixels), 2835, 2835, 0, 0)
    place = 14 + len(info) + len(colors)
    return b"BM" + struct.pack("<IHHI", place + len(pixels), 0, 0, place) + info + colors + pixels


_PNG: dict[str, Callable[[], bytes]] = {
    "PNG gray": lambda: _pillow("L", "PNG"),
    "PNG gray of 1 bit": lambda: _pillow("1", "PNG"),
    "PNG gray of 2 bits": lambda: _vips(".png", 1, interpretation="b-w", bitdepth=2),
    "PNG gray with alpha": lambda: _pillow("LA", "PNG"),
    "PNG color": lambda: _pillow("RGB", "PNG", **_described(), pnginfo=_texts()),
    "PNG color with alpha": lambda: _pillow("RGBA", "PNG", dpi=(300, 200)),
    "PNG color with a transparent one": lambda: _pillow("RGB", "PNG", transparency=(1, 2, 3)),
    "PNG palette": lambda: _palette("PNG"),
    "PNG palette with alpha": lambda: _palette("PNG", transparency=bytes((0, 128, 255))),
    "PNG gray of 16 bits": lambda: _vips(".png", 1, np.uint16, "grey16"),
    "PNG color of 16 bits": lambda: _vips(".png", 3, np.uint16, "rgb16"),
    "PNG color with alpha of 16 bits": lambda: _vips(".png", 4, np.uint16, "rgb16"),
    "PNG interlaced": lambda: _vips(".png", 3, interlace=True),
    "PNG animated": lambda: _frames("PNG", 3),
    "PNG wide gamut": lambda: _profiled("p3", ".png", 3),
    "PNG of impasto": lambda: _own("PNG"),
}
_JPEG: dict[str, Callable[[], bytes]] = {
    "JPEG gray": lambda: _pillow("L", "JPEG"),
    "JPEG color": lambda: _pillow("RGB", "JPEG", **_described(), comment="words"),
    "JPEG progressive": lambda: _pillow("RGB", "JPEG", progressive=True, subsampling=0),
    "JPEG with restarts": lambda: _pillow("RGB", "JPEG", restart_marker_blocks=1),
    "JPEG CMYK": lambda: _pillow("CMYK", "JPEG"),
    "JPEG CMYK of a press": lambda: _profiled("cmyk", ".jpg", 4),
    "JPEG with its preview": _mpo,
    "JPEG with texts": lambda: _pillow("RGB", "JPEG", xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta>"),
    "JPEG of impasto": lambda: _own("JPEG"),
}
_MODERN: dict[str, Callable[[], bytes]] = {
    "WEBP lossy": lambda: _pillow("RGB", "WEBP", exif=_described()["exif"], icc_profile=_described()["icc_profile"]),
    "WEBP lossless": lambda: _pillow("RGBA", "WEBP", lossless=True),
    "WEBP with alpha": lambda: _pillow("RGBA", "WEBP"),
    "WEBP animated": lambda: _frames("WEBP", 2),
    "WEBP of impasto": lambda: _own("WEBP"),
    "AVIF color": lambda: _pillow("RGB", "AVIF", exif=_described()["exif"], icc_profile=_described()["icc_profile"]),
    "AVIF with alpha": lambda: _pillow("RGBA", "AVIF"),
    "AVIF animated": lambda: _frames("AVIF", 2),
    "AVIF of impasto": lambda: _own("AVIF"),
    "GIF one": lambda: _palette("GIF"),
    "GIF transparent": lambda: _palette("GIF", transparency=2, interlace=1),
    "GIF animated": lambda: _frames("GIF", 3),
    "BMP color": lambda: _pillow("RGB", "BMP", dpi=(72, 72)),
    "BMP with alpha": lambda: _pillow("RGBA", "BMP"),
    "BMP gray": lambda: _pillow("L", "BMP"),
    "BMP of 1 bit": lambda: _bmp(1),
    "BMP of 4 bits": lambda: _bmp(4),
    "BMP of 8 bits, packed": lambda: _bmp(8, compression=1),
    "BMP of 16 bits": lambda: _bmp(16),
    "BMP of 16 bits by masks": lambda: _bmp(16, compression=3),
    "BMP of OS/2": lambda: _bmp(8, head=12),
}
_TIFF: dict[str, Callable[[], bytes]] = {
    "TIFF gray": lambda: _tiff(_noise(11, 13)),
    "TIFF gray of 16 bits": lambda: _tiff(_noise(11, 13, dtype=np.uint16), byteorder=">"),
    "TIFF real": lambda: _tiff(_noise(11, 13).astype(np.float32)),
    "TIFF signed": lambda: _tiff(_noise(11, 13).astype(np.int16)),
    "TIFF white is zero": lambda: _tiff(_noise(11, 13), photometric="miniswhite"),
    "TIFF color": lambda: _pillow("RGB", "TIFF", **_described()),
    "TIFF color of 16 bits": lambda: _tiff(
        _noise(11, 13, 3, dtype=np.uint16), photometric="rgb", compression="zlib", predictor=True
    ),
    "TIFF with alpha": lambda: _tiff(_noise(11, 13, 4), photometric="rgb", extrasamples=["unassalpha"]),
    "TIFF with a channel more": lambda: _tiff(_noise(11, 13, 4), photometric="rgb", extrasamples=["unspecified"]),
    "TIFF in planes": lambda: _tiff(_noise(3, 11, 13), photometric="rgb", planarconfig="separate"),
    "TIFF CMYK": lambda: _pillow("CMYK", "TIFF"),
    "TIFF palette": lambda: _palette("TIFF"),
    "TIFF lab": lambda: _pillow("LAB", "TIFF"),
    "TIFF of 1 bit": lambda: _pillow("1", "TIFF", compression="group4"),
    "TIFF as JPEG": lambda: _pillow("RGB", "TIFF", compression="jpeg"),
    "TIFF as LZW": lambda: _pillow("RGB", "TIFF", compression="tiff_lzw"),
    "TIFF as PackBits": lambda: _pillow("RGB", "TIFF", compression="packbits"),
    "TIFF as WebP": lambda: _vips(".tif", 3, compression="webp"),
    "TIFF in tiles": lambda: _vips(".tif", 3, tile=True, tile_width=16, tile_height=16, compression="deflate"),
    "TIFF pyramid": lambda: _vips(".tif", 3, tile=True, tile_width=16, tile_height=16, pyramid=True, subifd=True),
    "TIFF big": lambda: _tiff(_noise(11, 13, 3), photometric="rgb", bigtiff=True),
    "TIFF big, of 16 bits": lambda: _tiff(
        _noise(11, 13, 3, dtype=np.uint16), photometric="rgb", bigtiff=True, byteorder=">"
    ),
    "TIFF of two pages": lambda: _tiff(_noise(2, 11, 13, 3), photometric="rgb"),
    "TIFF of impasto": lambda: _own("TIFF"),
}
SEEDS = {**_PNG, **_JPEG, **_MODERN, **_TIFF}
"""Makers of files by what they are; the first word is the format."""
