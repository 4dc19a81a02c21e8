"""Draw the bundled paintings: python examples/paintings [FOLDER]."""

import sys
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent))

from impasto import images
from paintings import PAINTERS, paint

FOLDER = Path(__file__).parent.parent.parent / "src" / "impasto" / "samples" / "paintings"
SHAPE = (512, 640)


def main() -> None:
    """Write a JPEG for every painter."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name in PAINTERS:
        picture = Image.fromarray(images.to_array(paint(name, SHAPE)))
        picture.save(folder / f"{name}.jpg", quality=90, subsampling="4:2:0", optimize=True, progressive=True)


if __name__ == "__main__":
    main()
