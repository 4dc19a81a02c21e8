"""Moving pictures."""

import pytest
import torch
from PIL import Image

from impasto.errors import ImageError
from impasto.images.animation import write_gif


def test_frames_in_order(tmp_path):
    """Each is there for its share of the time, and after the last comes the first."""
    frames = [torch.full((1, 3, 4, 5), value) for value in (0.0, 0.5, 1.0)]
    write_gif(tmp_path / "a.gif", frames, seconds=1.5)
    with Image.open(tmp_path / "a.gif") as picture:
        assert (picture.n_frames, picture.info["duration"], picture.info["loop"]) == (3, 500, 0)
        for index, value in enumerate((0, 128, 255)):
            picture.seek(index)
            assert picture.convert("RGB").getpixel((2, 2)) == pytest.approx((value,) * 3, abs=2)


@pytest.mark.parametrize(("name", "frames"), [("a.png", 1), ("a.gif", 0), ("no/a.gif", 1)])
def test_what_cannot_be_written_gets_a_sentence(tmp_path, name, frames):
    """Another ending, no frames, no folder."""
    with pytest.raises(ImageError, match=r"written as \.gif|at least one|does not exist"):
        write_gif(tmp_path / name, [torch.zeros(1, 3, 4, 4)] * frames)
