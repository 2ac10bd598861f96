"""CamVid from the layout of the Stanford set to its own: python camvid_masks.py ICCV09_FOLDER TARGET

TARGET/images/NAME.jpg     the frames: links to ICCV09_FOLDER/images
TARGET/labels/NAME_L.png   colour masks in CamVid's colours and with its suffix; black is void
TARGET/classes.yaml        the five classes that occur, by colour
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

# Ids of the Stanford set's regions → CamVid's name and colour.
CLASSES = {
    0: ("sky", (128, 128, 128)),
    1: ("tree", (128, 128, 0)),
    2: ("road", (128, 64, 128)),
    5: ("building", (128, 0, 0)),
    7: ("foreground object", (64, 0, 128)),
}
VOID = "#000000"


def main(source: Path, target: Path) -> None:
    """Writes a mask for each label file, links the images, and writes the classes."""
    texts = sorted((source / "labels").glob("*.regions.txt"))
    if not texts:
        sys.exit(f"{source}: expected labels/NAME.regions.txt")
    (target / "labels").mkdir(parents=True, exist_ok=True)
    colors = np.zeros((257, 3), np.uint8)  # the last row is that of −1, unknown
    colors[list(CLASSES)] = [color for _, color in CLASSES.values()]
    for text in texts:
        ids = np.loadtxt(text, int)
        Image.fromarray(colors[ids]).save(target / "labels" / text.name.replace(".regions.txt", "_L.png"))
    if not (target / "images").exists():
        (target / "images").symlink_to((source / "images").resolve())
    lines = ["classes:"]
    for name, color in CLASSES.values():
        lines.append(f'  - {{name: {name}, color: "#{bytes(color).hex().upper()}"}}')
    (target / "classes.yaml").write_text("\n".join([*lines, f'unknown: ["{VOID}"]', ""]), encoding="utf-8")
    print(f"{len(texts)} masks in {target / 'labels'}; classes in {target / 'classes.yaml'}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
