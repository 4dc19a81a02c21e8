"""Flow on clips whose motion is known, and the arithmetic around it."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from impasto.errors import VideoError
from impasto.videos.optical_flow import optical_flow, read_flow, reliability, warped, write_flow


def test_the_flow_of_a_known_motion(scene):
    """Within a quarter of a pixel on average where something can be found; the square is 20 pixels wide and moves by 4."""
    found = optical_flow(scene.frames[3], scene.frames[2])
    exact, hidden = scene.flow(3), scene.hidden(3)
    errors = (found - exact).norm(dim=0)
    assert errors[~hidden].median() < 0.25
    assert errors[scene.inside(3)].median() < 0.5


def test_what_was_hidden_is_not_trusted(scene):
    """Of what the frame before does not show, most is found; and most of what it shows is trusted."""
    there = optical_flow(scene.frames[3], scene.frames[2])
    back = optical_flow(scene.frames[2], scene.frames[3])
    trusted = reliability(there, back)[0, 0].bool()
    hidden = scene.hidden(3)
    assert (~trusted)[hidden].float().mean() > 0.8
    assert trusted[~hidden].float().mean() > 0.7


def test_exact_flows_are_trusted_where_they_return(scene):
    """With the exact flows there and back, what is not trusted is what was hidden, edges of motion and the border."""
    there = scene.flow(3)
    back = torch.tensor([-2.0, -1.0]).view(2, 1, 1).expand(2, *scene.shape).clone()
    back[:, scene.inside(2)] = torch.tensor([4.0, 0.0]).view(2, 1)
    trusted = reliability(there, back)[0, 0].bool()
    inside = scene.inside(3)
    middle = torch.zeros_like(inside)
    middle[scene.top + 3 : scene.top + 17, scene.left(3) + 3 : scene.left(3) + 17] = True
    assert trusted[middle].all()
    assert not trusted[scene.hidden(3)].any()
    edges = torch.nn.functional.max_pool2d(inside[None].float(), 5, 1, 2)[0].bool() & ~middle
    before = torch.nn.functional.max_pool2d(scene.inside(2)[None].float(), 9, 1, 4)[0].bool()
    assert trusted[~(edges | before | scene.hidden(3))].all()


def test_warping_moves_whole_pixels_exactly():
    """A flow of (2, 1) shows what is two columns and one row further on."""
    image = torch.rand(1, 3, 12, 15, dtype=torch.float64)
    flow = torch.tensor([2.0, 1.0]).view(2, 1, 1).expand(2, 12, 15)
    assert torch.allclose(warped(image, flow)[..., :-1, :-2], image[..., 1:, 2:], rtol=0, atol=1e-6)
    still = warped(image, torch.zeros(2, 12, 15))
    assert torch.allclose(still, image, rtol=0, atol=1e-6)


def test_small_frames_do_not_move():
    """No patch fits into them."""
    assert not optical_flow(torch.rand(1, 3, 9, 40), torch.rand(1, 3, 9, 40)).any()


def test_a_flow_in_a_file_is_read_again(tmp_path):
    """In Middlebury's layout: a magic number, width, height, and pairs by rows."""
    flow = torch.randn(2, 5, 7)
    write_flow(tmp_path / "a.flo", flow)
    data = (tmp_path / "a.flo").read_bytes()
    assert data[:4] == b"PIEH"
    assert np.frombuffer(data[4:12], "<i4").tolist() == [7, 5]
    assert np.frombuffer(data[12:20], "<f4").tolist() == flow[:, 0, 0].tolist()
    assert torch.equal(read_flow(tmp_path / "a.flo"), flow)


@pytest.mark.parametrize("data", [b"", b"PIEH", b"PIEH\1\0\0\0\2\0\0\0", b"something else altogether"])
def test_what_is_no_flow_gets_a_sentence(tmp_path, data):
    """Empty, cut short, or something else."""
    (tmp_path / "a.flo").write_bytes(data)
    with pytest.raises(VideoError, match=r"a\.flo (is no optical flow|is damaged)"):
        read_flow(tmp_path / "a.flo")
    with pytest.raises(VideoError, match="cannot be read"):
        read_flow(tmp_path / "none.flo")


def test_programs_started_later_look_for_libraries_where_they_did():
    """OpenCV changes the environment when it is imported; that is taken back."""
    code = (
        "import os, torch\n"
        "from impasto.videos.optical_flow import optical_flow\n"
        "optical_flow(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32))\n"
        "print(os.environ.get('LD_LIBRARY_PATH'))"
    )
    for before in (None, "/some/where"):
        environment = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
        environment |= {} if before is None else {"LD_LIBRARY_PATH": before}
        words = [sys.executable, "-c", code]
        found = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
        assert found.stdout.strip() == str(before)
