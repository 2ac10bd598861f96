"""How to use data whose test images have no labels, as those of competitions and many benchmarks."""

import shlex
from pathlib import Path

from activation_study.data.folders.pairing import Pairing, below, matching_folders
from activation_study.data.splitting.folder_splits import part_of

HELD_OUT = 10  # every tenth training image validates where there are no labels of test images


def fix_of_unlabeled_test(pairing: Pairing, images: Path, labels: Path) -> str | None:
    """The commands that split the other images; None if it is not the test images, and only these, that lack labels.

    Args:
        pairing: of the files.
        images: as the configuration names them.
        labels: likewise.
    """
    missing = set(pairing.images) - set(pairing.labels)
    names = pairing.names
    parts = {name: part_of(name) for name in (*missing, *names)}
    others = {parts[name] for name in names}
    only_test = bool(missing) and {parts[name] for name in missing} == {"test"}
    if not only_test or "test" in others or "train" not in others or set(pairing.labels) - set(pairing.images):
        return None
    folders: dict[str | None, str] = {parts[name]: name.partition("/")[0] for name in (*missing, *names)}
    train, unlabeled = folders["train"], f"All images without a label are those of {folders['test']}/."
    if "validation" not in others:
        alone = f"data.images={_quoted(images, train)} data.labels={_quoted(labels, train)}"
        return f"{unlabeled} {alone} leaves them out, and splits the images of {train}/ at random."
    validation = folders["validation"]
    count = sum(parts[name] == "train" for name in names)
    kept = count - max(1, count // HELD_OUT)
    return (
        f"{unlabeled} Test on the images of {validation}/, and validate on the last tenth of those of {train}/:\n"
        "  mkdir split\n"
        f"  {_listing(images, validation)} > split/test.txt\n"
        f"  {_listing(images, train)} > split/all.txt\n"
        f"  head -n {kept} split/all.txt > split/train.txt\n"
        f"  tail -n +{kept + 1} split/all.txt > split/val.txt\n"
        "Then give data.split=files data.split_files=split."
    )


def _quoted(pattern: Path, folder: str) -> str:
    return shlex.quote(str(below(pattern, folder)))


def _listing(images: Path, folder: str) -> str:
    """The command that prints the names of all files of a folder."""
    name = shlex.quote(folder)
    if "" in matching_folders(images):
        return f"(cd {shlex.quote(str(images))} && find -L {name} -type f ! -path '*/.*' | LC_ALL=C sort)"
    rename = shlex.quote(f"s|^[.]|{folder}|")
    return f"(cd {_quoted(images, folder)} && find -L . -type f ! -path '*/.*' | sed {rename} | LC_ALL=C sort)"
