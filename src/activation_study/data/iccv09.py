"""The folder layout of the Stanford Background Dataset, verified once and then opened without reading.

    images/NAME.jpg    labels/NAME.regions.txt  labels/NAME.surfaces.txt  labels/NAME.layers.txt

Other files beside the two folders (`horizons.txt`, `README`) are allowed and count for the digest.
"""

import contextlib
import hashlib
import json
import os
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from activation_study.data.jpeg import read_jpeg
from activation_study.data.labels import LABEL_TYPES, raw_range, read_label
from activation_study.errors import BadInput, faults_message
from activation_study.files import write_json

MAX_BYTES = 2**29  # of one picture or label file: files are read as a whole
_SUFFIXES = {"images": (".jpg",), "labels": tuple(f".{label_type}.txt" for label_type in LABEL_TYPES)}
_STAMP_VERSION = 1
_WORKERS = os.cpu_count()

Parsed = TypeVar("Parsed")


@dataclass(frozen=True)
class File:
    """A regular file: its path below the root with "/" between the parts, bytes, time of change in nanoseconds."""

    path: str
    size: int
    changed: int


@dataclass(frozen=True)
class Iccv09Folder:
    """A verified data set.

    Args:
        name: as in the configuration, for messages and tables.
        root: the folder that holds `images` and `labels`.
        names: the pictures' names without suffix, sorted.
        digest: SHA-256 of the lines `<sha256>  ./<path>` of all files, sorted bytewise by path, as made by
            `find . -type f | LC_ALL=C sort | xargs sha256sum | sha256sum` inside `root`.
    """

    name: str
    root: Path
    names: tuple[str, ...]
    digest: str

    def image(self, index: int) -> NDArray[np.uint8]:
        """The picture, uint8 [height, width, 3], BGR; not turned by its EXIF orientation, so that it fits its label."""
        return self._parsed(f"images/{self.names[index]}.jpg", read_jpeg)

    def label(self, index: int, label_type: str) -> NDArray[np.int16]:
        """The raw ids, int16 [height, width], as large as the picture."""
        return self._parsed(f"labels/{self.names[index]}.{label_type}.txt", read_label)

    def _parsed(self, path: str, parse: Callable[[bytes], Parsed]) -> Parsed:
        """BadInput when the file was damaged or removed after it was verified."""
        try:
            return parse(_content(self.root, path))
        except (OSError, ValueError) as error:
            raise BadInput(f"{self.root / path}: {_reason(error)}. Start again: the folder will be verified.") from None


def open_iccv09(root: Path, name: str, expected_digest: str | None, stamps: Path) -> Iccv09Folder:
    """Opens the data set in the folder `root`; reads its files only when they are new or changed.

    A stamp in the folder `stamps` keeps the digest with a fingerprint (path, size and time of change of
    all files). A folder of the expected digest is known to be good; any other one is parsed completely.

    Raises:
        BadInput: with all faults at once; or with both digests where only these differ.
    """
    root = root.resolve()
    files, faults = _scan(root)
    stamp = stamps / (hashlib.sha256(os.fsencode(root)).hexdigest()[:16] + ".json")
    fingerprint = hashlib.sha256(repr([(file.path, file.size, file.changed) for file in files]).encode()).hexdigest()
    known = _read_stamp(stamp, fingerprint)
    if faults or known is None:
        digest, unreadable = _content_digest(root, files)
        faults, parsed = [*faults, *unreadable], False
    else:
        digest, parsed = known
    if faults or not (parsed or digest == expected_digest):
        _refuse(root, [*faults, *structure_faults(files), *_content_faults(root, files)], expected_digest)
        parsed = True
    if known != (digest, parsed):
        _write_stamp(stamp, {"root": str(root), "fingerprint": fingerprint, "digest": digest, "parsed": parsed})
    if expected_digest not in (None, digest):
        raise BadInput(
            f"The data set in {root} is complete and readable but not the expected one.\n"
            f"  expected content digest {expected_digest}\n  found                   {digest}\n"
            "Delete the folder and it is fetched again; or, if it is a data set of your own in this layout, "
            "say data.digest=null."
        )
    return Iccv09Folder(name, root, tuple(sorted(_pictures(files))), digest)


def _refuse(root: Path, faults: Iterable[str], expected_digest: str | None) -> None:
    """Raises BadInput if there are faults."""
    faults = list(dict.fromkeys(faults))
    if not faults:
        return
    mend = f"Mend or remove these below {root}"
    if expected_digest is not None:
        mend = f"Delete {root} and it is fetched again; or, if it is a data set of your own: m{mend[1:]}"
    raise BadInput(faults_message(f"The data set in {root} cannot be used", faults, f"{mend}."))


def _scan(root: Path) -> tuple[list[File], list[str]]:
    """All regular files, sorted bytewise by path, and what else was found, as faults."""
    if not root.is_dir():
        raise BadInput(f"There is no data set in {root}: expected a folder that holds images and labels.")
    files, faults, folders = [], [], [""]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(root / folder) as entries:
                for entry in entries:
                    path = folder + entry.name
                    status = entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(path + "/")
                    elif entry.is_file(follow_symlinks=False):
                        files.append(File(path, status.st_size, status.st_mtime_ns))
                    else:
                        faults.append(f"{_shown(path)}: a link or device: expected a regular file")
        except OSError as error:
            faults.append(f"{_shown(folder) or 'the folder'}: {_reason(error)}")
    return sorted(files, key=lambda file: os.fsencode(file.path)), sorted(faults)


def _content_digest(root: Path, files: Sequence[File]) -> tuple[str, list[str]]:
    """The digest, and the files that could not be read, as faults."""

    def line(file: File) -> bytes:
        try:
            with open(root / file.path, "rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest().encode() + b"  ./" + os.fsencode(file.path)
        except OSError as error:
            faults.append(f"{_shown(file.path)}: {_reason(error)}")
            return b""

    faults: list[str] = []
    with ThreadPoolExecutor(_WORKERS) as pool:
        lines = pool.map(line, files)
        return hashlib.sha256(b"".join(line + b"\n" for line in lines)).hexdigest(), sorted(faults)


def structure_faults(files: Sequence[File]) -> list[str]:
    """What is wrong with the names: files missing, too many, or told apart by case alone."""
    faults = [
        f"{_shown(file.path)}: unprintable characters in its name" for file in files if not file.path.isprintable()
    ]
    pictures, labels = _pictures(files), _labels(files)
    if not pictures and not labels:
        return ["no pictures: expected images/NAME.jpg with labels/NAME.regions.txt, .surfaces.txt and .layers.txt"]
    for file in files:
        folder, _, rest = file.path.partition("/")
        if folder in _SUFFIXES and not _hidden(file.path) and ("/" in rest or not rest.endswith(_SUFFIXES[folder])):
            wanted = ", ".join(f"{folder}/NAME{suffix}" for suffix in _SUFFIXES[folder])
            faults.append(f"{_shown(file.path)}: expected nothing but {wanted}")
    for name in sorted(pictures):
        missing = [suffix for suffix in _SUFFIXES["labels"] if suffix not in labels.get(name, ())]
        faults += [f"labels/{_shown(name)}{suffix}: missing, images/{_shown(name)}.jpg is there" for suffix in missing]
    faults += [f"images/{_shown(name)}.jpg: missing, labels are there" for name in sorted(set(labels) - pictures)]
    alike = defaultdict(list)
    for name in sorted(pictures):
        alike[unicodedata.normalize("NFC", name).casefold()].append(f"images/{_shown(name)}.jpg")
    return faults + [f"{', '.join(same)}: names that differ only in case" for same in alike.values() if len(same) > 1]


def _content_faults(root: Path, files: Sequence[File]) -> list[str]:
    """What is wrong inside the pictures and labels."""
    labels = _labels(files)
    jobs = {name: [f"images/{name}.jpg"] for name in sorted(_pictures(files))}
    for name, suffixes in labels.items():
        jobs.setdefault(name, []).extend(f"labels/{name}{suffix}" for suffix in suffixes)
    with ThreadPoolExecutor(_WORKERS) as pool:
        return [fault for faults in pool.map(partial(_picture_faults, root), jobs.values()) for fault in faults]


def _picture_faults(root: Path, paths: Sequence[str]) -> list[str]:
    """The faults of one picture and its labels, as far as there are such files."""
    faults, picture_size = [], None
    for path in paths:
        try:
            if path.startswith("images/"):
                picture_size = read_jpeg(_content(root, path)).shape[:2]
                continue
            label = read_label(_content(root, path))
        except (OSError, ValueError) as error:
            faults.append(f"{_shown(path)}: {_reason(error)}")
            continue
        low, high = raw_range(path.rsplit(".", 2)[1])
        wrong = np.argwhere((label < low) | (label > high))
        if len(wrong):
            row, column = wrong[0]
            found = f"id {label[row, column]} in line {row + 1}" + f" ({len(wrong)} pixels)" * (len(wrong) > 1)
            faults.append(f"{_shown(path)}: {found}: expected {low} to {high}")
        if picture_size and label.shape != picture_size:
            sizes = [f"{width}×{height}" for height, width in (label.shape, picture_size)]
            faults.append(f"{_shown(path)}: {sizes[0]} (width × height): expected {sizes[1]} as its picture")
    return faults


def _pictures(files: Iterable[File]) -> set[str]:
    return {file.path[7:-4] for file in files if _belongs(file.path, "images", ".jpg")}


def _labels(files: Iterable[File]) -> dict[str, list[str]]:
    """The label suffixes that are there, for each name."""
    found = defaultdict(list)
    for file in files:
        for suffix in _SUFFIXES["labels"]:
            if _belongs(file.path, "labels", suffix):
                found[file.path[7 : -len(suffix)]].append(suffix)
    return dict(found)


def _belongs(path: str, folder: str, suffix: str) -> bool:
    return path.startswith(f"{folder}/") and path.endswith(suffix) and path.count("/") == 1 and not _hidden(path)


def _hidden(path: str) -> bool:
    """File managers leave such files (`.DS_Store`): they are no part of the data."""
    return path.rsplit("/", 1)[-1].startswith(".")


def _content(root: Path, path: str) -> bytes:
    with open(root / path, "rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES >> 20} MiB")
    return content


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _shown(path: str) -> str:
    """A path that every terminal can show, whatever bytes its name has."""
    return path if path.isprintable() else ascii(path)[1:-1]


def _read_stamp(stamp: Path, fingerprint: str) -> tuple[str, bool] | None:
    """Digest, and whether every file was parsed; None if unknown, changed or damaged."""
    try:
        kept = json.loads(stamp.read_text(encoding="utf-8"))
        if kept["version"] == _STAMP_VERSION and kept["fingerprint"] == fingerprint:
            return str(kept["digest"]), kept["parsed"] is True
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def _write_stamp(stamp: Path, kept: dict[str, object]) -> None:
    with contextlib.suppress(OSError):  # a read-only disk: the folder is verified at every start
        write_json(stamp, {"version": _STAMP_VERSION, **kept})
