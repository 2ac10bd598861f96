"""What would make the names of images and labels match, found from the names."""

from bisect import bisect
from collections import Counter
from collections.abc import Collection, Sequence

_SAMPLE = 40  # names that are compared with their neighbours
_NEIGHBOURS = 6  # labels on each side: Cityscapes has three for each image
_SEPARATORS = "_-. "
# Of several files for each image, the one that holds ids has such a word in its name; in the order of preference.
_WORDS = ("labelid", "mask", "label", "seg", "_gt", "_l")
_IMAGE_FOLDERS = ("images", "image", "imgs", "img", "jpegimages", "rgb", "photos", "leftimg8bit")
_LABEL_FOLDERS = ("labels", "label", "masks", "mask", "annotations", "segmentationclass", "gt", "gtfine")


def matching_suffixes(images: Collection[str], labels: Collection[str]) -> list[tuple[str, str]]:
    """The pairs (image_suffix, label_suffix) that match most of the names, the likeliest first; empty if there is none.

    Args:
        images: names of images, without the format's suffix: `train/0001`.
        labels: likewise of labels: `train/0001_mask`.
    """
    if not images or not labels:
        return []
    ordered, known = sorted(labels), set(labels)
    candidates = Counter[tuple[str, str]]()
    for image in _sample(sorted(images)):
        position = bisect(ordered, image)
        for label in ordered[max(0, position - _NEIGHBOURS) : position + _NEIGHBOURS]:
            common = _common_length(image, label)
            while common < min(len(image), len(label)) and image[common - 1] in _SEPARATORS:
                common -= 1  # a separator begins both suffixes
            endings = image[common:], label[common:]
            if image[:common].rpartition("/")[2] and not any("/" in ending for ending in endings):
                candidates[endings] += 1
    needed = min(len(images), len(labels)) / 2
    scored = {}
    for endings, _ in candidates.most_common(20):
        name_ending, label_ending = endings
        stems = (image.removesuffix(name_ending) for image in images if image.endswith(name_ending))
        scored[endings] = sum(f"{stem}{label_ending}" in known for stem in stems)
    best = max(scored.values(), default=0)
    if best < needed or best == 0 or (best == 1 and len(images) > 2):
        return []
    return sorted((endings for endings, score in scored.items() if score == best), key=_unlikeliness)


def prefix_of_labels(images: Collection[str], labels: Collection[str]) -> tuple[str, str] | None:
    """What the file names of images and labels begin with, if they match behind it: `img_` and `mask_`."""
    reversed_names = ({_file_name(name)[::-1] for name in names} for names in (images, labels))
    found = matching_suffixes(*reversed_names)
    return (found[0][0][::-1], found[0][1][::-1]) if found else None


def deeper_folders(images: Collection[str], labels: Collection[str]) -> tuple[str, str] | None:
    """The folders, below those of images and labels, from which on most names match: ("images", "")."""
    by_file: dict[str, list[str]] = {}
    for label in labels:
        by_file.setdefault(_file_name(label), []).append(label)
    votes = Counter[tuple[str, str]]()
    for image in _sample(sorted(images)):
        for label in by_file.get(_file_name(image), [])[:_NEIGHBOURS]:
            longer, shorter = (image, label) if len(image) > len(label) else (label, image)
            if longer.endswith(f"/{shorter}"):
                beginning = longer[: -len(shorter) - 1]
                votes[(beginning, "") if longer is image else ("", beginning)] += 1
    most = votes.most_common(1)
    return most[0][0] if most and most[0][1] * 2 >= min(len(images), len(labels), _SAMPLE) else None


def folders_of_both(files: Collection[str]) -> tuple[str, str] | None:
    """Patterns for the folders of images and of labels below one folder: ("*/images", "*/masks").

    Args:
        files: paths below that folder.
    """
    folders = {tuple(path.split("/")[:-1]) for path in files}
    for depth, beginning in ((1, ""), (2, "*/")):
        names = sorted({folder[depth - 1] for folder in folders if len(folder) >= depth})
        images = [name for name in names if name.lower() in _IMAGE_FOLDERS]
        labels = [name for name in names if name.lower() in _LABEL_FOLDERS]
        if images and labels:
            return f"{beginning}{images[0]}", f"{beginning}{labels[0]}"
    return None


def _common_length(first: str, second: str) -> int:
    """How many characters two names have in common at their beginnings."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((number for number, (a, b) in pairs if a != b), min(len(first), len(second)))


def _file_name(name: str) -> str:
    return name.rpartition("/")[2]


def _sample(names: Sequence[str]) -> Sequence[str]:
    return names[:: max(1, len(names) // _SAMPLE)][:_SAMPLE]


def _unlikeliness(endings: tuple[str, str]) -> tuple[int, int, tuple[str, str]]:
    label = endings[1].lower()
    word = next((number for number, word in enumerate(_WORDS) if word in label), len(_WORDS))
    return word, len(label), endings
