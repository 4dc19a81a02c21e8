r"""Optical flow between two frames, where it can be trusted, and frames moved along it.

A flow (2, H, W) is in pixels, x before y: what is at k in one frame is at k + w(k) in the other.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as nnf
from torch import Tensor

from impasto.errors import VideoError
from impasto.libraries import library

_MAGIC = 202021.25  # of .flo files
_LIBRARIES = "LD_LIBRARY_PATH"
_SMALLEST = 16  # pixels along a side, below which the search has no patch to look at


def optical_flow(first: Tensor, second: Tensor) -> Tensor:
    """The flow (2, H, W) from one frame (1, 3, H, W) in [0, 1] to another.

    Found by dense inverse search (Kroeger, Timofte, Dai and Van Gool 2016), as OpenCV has it, on brightness. In frames
    of fewer than 16 pixels along a side nothing is found to move.

    Raises:
        MissingExtraError: if OpenCV is not installed.
    """
    if min(first.shape[2:]) < _SMALLEST:
        return torch.zeros(2, *first.shape[2:])
    cv2 = _opencv()
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(0)  # twice the time of the preset, a fifth of its error (docs/video.md)
    found = search.calc(_gray(cv2, first), _gray(cv2, second), None)
    return torch.from_numpy(found).permute(2, 0, 1).contiguous()


def _opencv() -> Any:
    """OpenCV, without the folder that it tells every program which this process starts to look for libraries in."""
    before = os.environ.get(_LIBRARIES)
    cv2 = library("cv2", "Optical flow", "video")
    if before is None:
        os.environ.pop(_LIBRARIES, None)
    elif os.environ.get(_LIBRARIES) != before:
        os.environ[_LIBRARIES] = before
    return cv2


def _gray(cv2: Any, frame: Tensor) -> Any:
    levels = (frame[0].clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
    return cv2.cvtColor(levels, cv2.COLOR_RGB2GRAY)


def warped(image: Tensor, flow: Tensor) -> Tensor:
    """The image (1, C, H, W) seen through a flow: at k what it has at k + w(k), between pixels by cubic interpolation.

    Beyond the border is what is at the border.
    """
    height, width = flow.shape[1:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    at = torch.stack([(x + flow[0] + 0.5) * 2 / width - 1, (y + flow[1] + 0.5) * 2 / height - 1], dim=-1)
    return nnf.grid_sample(image, at[None].to(image.dtype), mode="bicubic", padding_mode="border", align_corners=False)


def reliability(there: Tensor, back: Tensor) -> Tensor:
    """Where a flow can be trusted, (1, 1, H, W) of ones and zeros: what was visible, but for the edges of motion.

    Args:
        there: the flow from a frame to an earlier one.
        back: the flow from that one to the frame.
    """
    return visible(there, back) * smooth(there)


def visible(there: Tensor, back: Tensor) -> Tensor:
    r"""Where a frame shows what an earlier one showed, too, (1, 1, H, W) of ones and zeros.

    With the flow ``there`` from a frame to an earlier one, :math:`\hat w`, and the flow ``back`` seen through it,
    :math:`\tilde w(k) = w(k + \hat w(k))`, a pixel was hidden in the earlier frame where

    .. math:: |\tilde w + \hat w|^2 > 0.01 (|\tilde w|^2 + |\hat w|^2) + 0.5

    (Sundaram, Brox and Keutzer 2010; Ruder, Dosovitskiy and Brox 2016, eq. 3 and 4), or where it comes from beyond the
    border.
    """
    height, width = there.shape[1:]
    returned = warped(back[None], there)[0]
    hidden = (returned + there).square().sum(0) > 0.01 * (returned.square().sum(0) + there.square().sum(0)) + 0.5
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    x, y = x + there[0], y + there[1]
    outside = (x < -0.5) | (y < -0.5) | (x > width - 0.5) | (y > height - 0.5)
    return (~(hidden | outside)).to(there.dtype)[None, None]


def smooth(flow: Tensor) -> Tensor:
    r"""Where a flow has no edge, (1, 1, H, W) of ones and zeros.

    It has one where

    .. math:: |\nabla \hat u|^2 + |\nabla \hat v|^2 > 0.01 |\hat w|^2 + 0.002

    (Ruder, Dosovitskiy and Brox 2016, eq. 5).
    """
    slopes = torch.zeros(flow.shape[1:])
    for axis in (1, 2):
        if flow.shape[axis] > 1:
            slopes += torch.gradient(flow, dim=axis)[0].square().sum(0)
    return (slopes <= 0.01 * flow.square().sum(0) + 0.002).to(flow.dtype)[None, None]


def read_flow(path: Path) -> Tensor:
    """The flow (2, H, W) in a Middlebury ``.flo`` file.

    Raises:
        VideoError: if it is none.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise VideoError(f"{path} cannot be read ({error.strerror}); give a .flo file.") from None
    head = np.frombuffer(data[:12], dtype="<f4", count=1 if len(data) >= 12 else 0)
    if not len(head) or head[0] != _MAGIC:
        raise VideoError(f"{path} is no optical flow; give a .flo file as Middlebury's, which begins with PIEH.")
    width, height = np.frombuffer(data[4:12], dtype="<i4")
    if width < 1 or height < 1 or len(data) != 12 + 8 * int(width) * int(height):
        raise VideoError(f"{path} is damaged: {width} x {height} vectors do not fit {len(data)} bytes; write it again.")
    values = np.frombuffer(data[12:], dtype="<f4").reshape(height, width, 2)
    return torch.from_numpy(values.copy()).permute(2, 0, 1).contiguous()


def write_flow(path: Path, flow: Tensor) -> None:
    """Write a flow (2, H, W) as a Middlebury ``.flo`` file."""
    height, width = flow.shape[1:]
    head = np.array([_MAGIC], "<f4").tobytes() + np.array([width, height], "<i4").tobytes()
    path.write_bytes(head + flow.permute(1, 2, 0).contiguous().numpy().astype("<f4").tobytes())
