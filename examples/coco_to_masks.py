"""Draws the instances of a COCO file as label images: python coco_to_masks.py ANNOTATIONS.json TARGET

TARGET/labels/NAME.png   each pixel's value is the id of its category; 0 where there is no instance
TARGET/classes.yaml      the categories with their ids

Where instances overlap, the smaller one is on top. Crowds (`iscrowd`) are unknown pixels. Needs pycocotools:
pip install pycocotools
"""

import sys
from pathlib import Path, PurePosixPath

import numpy as np
import yaml
from PIL import Image
from pycocotools.coco import COCO


def main(annotations: Path, target: Path) -> None:
    """Writes one label image for each image of the COCO file."""
    coco = COCO(annotations)
    categories = coco.loadCats(coco.getCatIds())
    ids = [category["id"] for category in categories]
    unknown = max([254, *ids]) + 1  # no category's
    if 0 in ids or unknown > np.iinfo(np.uint16).max:
        sys.exit(f"{annotations}: expected category ids from 1 to 65534, because 0 is drawn where there is no instance")
    for image in coco.imgs.values():
        labels = np.zeros((image["height"], image["width"]), np.uint16 if unknown > 255 else np.uint8)
        instances = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
        for instance in sorted(instances, key=lambda each: each["area"], reverse=True):
            value = unknown if instance.get("iscrowd") else instance["category_id"]
            labels[coco.annToMask(instance).astype(bool)] = value
        path = target / "labels" / PurePosixPath(image["file_name"]).with_suffix(".png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(labels).save(path)
    classes = [{"name": "background", "id": 0}, *({"name": each["name"], "id": each["id"]} for each in categories)]
    content = yaml.safe_dump({"classes": classes, "unknown": [unknown]}, sort_keys=False, allow_unicode=True)
    (target / "classes.yaml").write_text(content, encoding="utf-8")
    print(f"{len(coco.imgs)} label images in {target / 'labels'}; classes in {target / 'classes.yaml'}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
