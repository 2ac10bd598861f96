"""Draws the shapes of LabelMe files as label images: python labelme_to_masks.py FOLDER TARGET

FOLDER/**/NAME.json      one file per image, as LabelMe saves it beside the image
TARGET/labels/NAME.png   each pixel's value is the id of its label; 0 where there is no shape
TARGET/classes.yaml      the labels in alphabetical order with their ids

Polygons, rectangles and circles are drawn in the order of the file, so that later ones are on top.
"""

import json
import math
import sys
from pathlib import Path

import cv2
import numpy as np
import yaml

BACKGROUND = "background"  # LabelMe's own exports write _background_
DRAWN = ("polygon", "rectangle", "circle")


def main(folder: Path, target: Path) -> None:
    """Writes one label image for each LabelMe file."""
    files = {path: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.json"))}
    files = {path: content for path, content in files.items() if "shapes" in content}
    if not files:
        sys.exit(f"{folder}: no LabelMe files; expected NAME.json with a list of shapes")
    shapes = [(path, shape) for path, content in files.items() for shape in content["shapes"]]
    other = sorted({f"{path}: {shape['shape_type']}" for path, shape in shapes if shape["shape_type"] not in DRAWN})
    if other:
        sys.exit("\n".join([f"expected only {', '.join(DRAWN)}", *other]))
    names = [BACKGROUND, *sorted({shape["label"] for _, shape in shapes} - {BACKGROUND})]
    for path, content in files.items():
        labels = np.zeros((content["imageHeight"], content["imageWidth"]), np.uint8)
        for shape in content["shapes"]:
            draw(labels, shape, names.index(shape["label"]))
        file = (target / "labels" / path.relative_to(folder)).with_suffix(".png")
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), labels)
    classes = {"classes": [{"name": name, "id": number} for number, name in enumerate(names)]}
    text = yaml.safe_dump(classes, sort_keys=False, allow_unicode=True)
    (target / "classes.yaml").write_text(text, encoding="utf-8")
    print(f"{len(files)} label images in {target / 'labels'}; classes in {target / 'classes.yaml'}")


def draw(labels: np.ndarray, shape: dict, value: int) -> None:
    """Draws one shape into the label image."""
    points = np.rint(shape["points"]).astype(np.int32)
    if shape["shape_type"] == "polygon":
        cv2.fillPoly(labels, [points], value)
    elif shape["shape_type"] == "rectangle":  # two opposite corners
        cv2.rectangle(labels, points[0].tolist(), points[1].tolist(), value, cv2.FILLED)
    else:  # a circle: its centre and a point on it
        radius = round(math.dist(*shape["points"]))
        cv2.circle(labels, points[0].tolist(), radius, value, cv2.FILLED)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
