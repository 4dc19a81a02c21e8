"""ICC color profiles: into sRGB for the work, and back into the source's profile for the file.

Conversions run at 16 bits whatever the file's depth, so that an 8-bit picture is rounded once, on writing. LittleCMS
does them, driven by libvips because Pillow's binding stops at 8 bits; the intent is relative colorimetric with black
point compensation. Colors outside sRGB are clipped: the work happens in [0, 1].
"""

from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_SPACES = {1: "GRAY", 3: "RGB", 4: "CMYK"}
_INTERPRETATIONS = {1: "grey16", 3: "rgb16", 4: "cmyk"}
_CONVERSION = {"pcs": "lab", "intent": "relative", "black_point_compensation": True}
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC


def mismatch(icc: bytes, channels: int) -> str | None:
    """Why ``icc`` cannot describe pixels of 1 (gray), 3 (RGB) or 4 (CMYK) channels, as half a sentence, or None."""
    try:
        space = _space(icc)
    except (OSError, ImageCms.PyCMSError):
        return "the profile is damaged"
    # Tools that turn a photo gray often leave its RGB profile on it, which still has a meaning for R = G = B.
    if space == _SPACES[channels] or (space == "RGB" and channels == 1):
        return None
    return f"the profile is for {space} but the pixels are {_SPACES[channels]}"


def is_srgb(icc: bytes) -> bool:
    """Whether ``icc`` is an RGB profile that moves no color of a coarse grid by more than one 8-bit level from sRGB."""
    return _space(icc) == "RGB" and _largest_move(icc) <= 1


def is_restorable(icc: bytes) -> bool:
    """Whether RGB pixels can be converted into ``icc``: not so for gray, CMYK, and one-way scanner profiles."""
    if mismatch(icc, channels=3):
        return False
    if is_srgb(icc):
        return True
    import pyvips  # noqa: PLC0415  # plain 8-bit pictures never need it

    try:
        from_srgb(np.zeros((1, 1, 3), np.uint16), icc)
    except pyvips.Error:
        return False
    return True


def to_srgb(samples: NDArray[np.uint16], icc: bytes | None) -> NDArray[np.uint16]:
    """(H, W, 1|3|4) gray, RGB or CMYK samples as (H, W, 3) sRGB.

    Args:
        samples: Device values, 0 is no light, or no ink for CMYK.
        icc: Their profile; None for CMYK without one, which is taken for the common coated-paper CMYK of libvips.
    """
    if icc and samples.shape[2] == 1 and _space(icc) == "RGB":
        samples = samples.repeat(3, axis=2)
    image = _image(samples)
    if icc:
        lab = tagged(image, icc).icc_import(embedded=True, **_CONVERSION)
    else:
        lab = image.icc_import(input_profile="cmyk", **_CONVERSION)
    return _array(lab.icc_export(output_profile="srgb", depth=16, **_CONVERSION))


def from_srgb(samples: NDArray[np.uint16], icc: bytes) -> NDArray[np.uint16]:
    """(H, W, 3) sRGB samples as (H, W, 3) values of the RGB profile ``icc``."""
    lab = _image(samples).icc_import(input_profile="srgb", **_CONVERSION)
    return _array(tagged(lab, icc).icc_export(depth=16, **_CONVERSION))


def _open(icc: bytes) -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(BytesIO(icc))


def _space(icc: bytes) -> str:
    space: str = _open(icc).profile.xcolor_space
    return space.strip()


@lru_cache(maxsize=16)
def _largest_move(icc: bytes) -> int:
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 27, 3)
    transform = ImageCms.buildTransform(_open(icc), ImageCms.createProfile("sRGB"), "RGB", "RGB", _INTENT)
    moved = Image.fromarray(grid)
    ImageCms.applyTransform(moved, transform, inPlace=True)
    return int(np.abs(np.asarray(moved).astype(int) - grid).max())


def _image(samples: NDArray[np.uint16]) -> Any:
    import pyvips  # noqa: PLC0415  # plain 8-bit pictures never need it

    return pyvips.Image.new_from_array(np.ascontiguousarray(samples), interpretation=_INTERPRETATIONS[samples.shape[2]])


def tagged(image: Any, icc: bytes) -> Any:
    """An image of libvips with a profile."""
    import pyvips  # noqa: PLC0415  # plain 8-bit pictures never need it

    copy = image.copy()
    copy.set_type(pyvips.GValue.blob_type, "icc-profile-data", icc)
    return copy


def _array(image: Any) -> NDArray[np.uint16]:
    samples: NDArray[np.uint16] = image.numpy()
    return samples
