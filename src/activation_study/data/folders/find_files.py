"""Finds the images and labels of `data=folder`, by names alone: no file is opened."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from activation_study.data.folders.folder_problems import fix_of_structure, structure_problems, suffixes_in_one_folder
from activation_study.data.folders.pairing import Naming, Pairing, folder_tree, matching_folders, pair
from activation_study.data.images.image_io import SUFFIXES
from activation_study.data.verification import File, FileTree
from activation_study.errors import BadInput, alternatives, examples, problems_message, summed_up

MEND_FILES = "Fix or remove these files."
_CURE = re.compile(r"data\.\w+=|the classes")  # of a problem that a setting or the classes file mends


@dataclass(frozen=True)
class FoundFiles:
    """The files of both folders.

    Args:
        images: the folder, as it was named.
        labels: likewise.
        tree: both folders.
        files: all files that are not hidden, as `images/…` and `labels/…`.
        pairing: which belong together.
        problems: what the names tell to be wrong.
        fix: what would mend it.
    """

    images: Path
    labels: Path
    tree: FileTree
    files: Sequence[File]
    pairing: Pairing
    problems: Sequence[str]
    fix: str

    @property
    def label_paths(self) -> list[Path]:
        """The label of each name that has an image."""
        return [self.tree.absolute(path) for name in self.pairing.names for path in self.pairing.labels[name]]

    def reject(self, problems: Sequence[str]) -> None:
        """Raises BadInput if there are problems, and names each kind once."""
        if problems:
            fix = self.fix if self.fix != MEND_FILES or any(map(_concerns_file, problems)) else ""
            hint = f"`images/…` is in {self.images}, `labels/…` in {self.labels}. {fix}".rstrip()
            summary = f"The data set in {self.images} and {self.labels} cannot be used"
            raise BadInput(problems_message(summary, summed_up(problems), hint))


def find_files(images: Path, labels: Path, naming: Naming) -> FoundFiles:
    """Finds the files of both folders and pairs them.

    Raises:
        BadInput: a folder is missing, or the names of images and labels have nothing in common.
    """
    for key, folder in (("data.images", images), ("data.labels", labels)):
        if problem := missing_folder(key, folder):
            raise BadInput(problem)
    tree = folder_tree(images, labels)
    files, problems = tree.scan()
    pairing = pair(files, tree, naming)
    if images.resolve() == labels.resolve() and not (naming.image_suffix or naming.label_suffix):
        _reject_one_folder(files, pairing, images, labels, naming)
    found = FoundFiles(images, labels, tree, files, pairing, problems, MEND_FILES)
    if not pairing.images:
        found.reject([*problems, _no_images(found, naming)])
    structure = list(structure_problems(pairing, naming))
    fix = fix_of_structure(files, pairing, images, labels, naming) if structure else found.fix
    if not pairing.names:
        structure = [*_formats_only(structure), _nothing_in_common(pairing, naming)]
    found = FoundFiles(images, labels, tree, files, pairing, [*problems, *structure], fix)
    if not pairing.names:
        found.reject(found.problems)
    return found


def _concerns_file(problem: str) -> bool:
    """Whether a problem is one of a file itself, and not of all of them or of how they are read."""
    return problem.startswith(("images/", "labels/")) and not _CURE.search(problem)


def missing_folder(key: str, pattern: Path) -> str | None:
    """Why there is no such folder; None if there is one."""
    if matching_folders(pattern):
        return None
    if pattern.is_file():
        return f"{key}={pattern}: this is a file; expected a folder of files"
    return f"{key}={pattern}: no such folder"


def _reject_one_folder(files: Sequence[File], pairing: Pairing, images: Path, labels: Path, naming: Naming) -> None:
    fix = fix_of_structure(files, pairing, images, labels, naming)
    if not fix.startswith("Give"):
        override = suffixes_in_one_folder(files)
        fix = (
            f"If they lie in one folder, {override} tells labels from images."
            if override
            else "If they lie in one folder, data.label_suffix=_mask tells labels (NAME_mask.png) from images."
        )
    raise BadInput(f"data.images and data.labels are both {images}: expected two folders. {fix}")


def _no_images(found: FoundFiles, naming: Naming) -> str:
    ending = f"NAME{naming.image_suffix or ''}"
    there = [file.path for file in found.files if file.path.startswith("images/")]
    holds = f"it has {len(there):,} other files, e.g. {examples(there)}" if there else "it is empty"
    return f"no images: expected images/{ending}{SUFFIXES[0]} ({alternatives(SUFFIXES[1:])}); {holds}"


def _nothing_in_common(pairing: Pairing, naming: Naming) -> str:
    images, labels = ([paths[0] for paths in by_name.values()] for by_name in (pairing.images, pairing.labels))
    if not labels:
        others = [path for path in (*pairing.others, *pairing.passed_over) if path.startswith("labels/")]
        holds = f"the folder has {examples(others)}" if others else "the folder is empty"
        return f"no labels: expected labels/NAME{naming.label_suffix or ''}.png for each image; {holds}"
    return f"no label has the name of an image: {examples(images)}; {examples(labels)}"


def _formats_only(structure: Sequence[str]) -> list[str]:
    """The problems that are not about names, since no names match."""
    return [problem for problem in structure if "expected a file name" in problem]
