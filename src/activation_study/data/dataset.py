"""The data of a run: the source, its preprocessed arrays and their split."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from activation_study import plugins
from activation_study.config.schema import Config, Data
from activation_study.data.copies import left_out_copies
from activation_study.data.images.image_reader import image_reader
from activation_study.data.labels.label_facts import undeclared_shares
from activation_study.data.labels.label_types import LabelInterpolation, label_type_of
from activation_study.data.preprocessing import PreprocessedData, preprocess
from activation_study.data.source import Source, open_source, reject_changed_files
from activation_study.data.splitting.folder_splits import split_by_folders
from activation_study.data.splitting.group_splits import split_groups
from activation_study.data.splitting.groups import divided_groups, group_counts, groups_by_file, groups_by_pattern
from activation_study.data.splitting.split_files import read_split_files, split_digest, without_suffix
from activation_study.data.splitting.splits import Indices, Split, split, split_by_names, without_duplicates
from activation_study.errors import BadInput, problems_message

SAMPLED = 20  # labels that are read to find out which values are undeclared


class Dataset:
    """The data that a configuration trains and evaluates on.

    Attributes:
        label_type: which labels.
        source: the images and labels.
        groups: the group of each image of the source; None without `data.groups`.
        preprocessed: the images and labels at the network's size.

    Raises:
        BadInput: the data set cannot be fetched or read.
    """

    def __init__(self, config: Config) -> None:
        options = self._options = config.data
        if options.source:
            plugins.require(config.plugins, f"the data set {options.name}")
        interpolation: LabelInterpolation = "nearest" if options.label_interpolation == "nearest" else "bilinear"
        self.label_type = label_type_of(config)
        self.source: Source = open_source(options, self.label_type)
        self.groups = _groups(options, self.source.names)
        self.preprocessed: PreprocessedData = preprocess(
            self.source,
            self.label_type,
            config.image_size,
            options.channel_order,
            interpolation,
            Path(options.cache),
            image_reader(options),
            self.reject_changed_files,
        )

    def reject_changed_files(self) -> None:
        """Raises BadInput if files of the data set are not those that were opened any more."""
        reject_changed_files(self._options, self.label_type, self.source.digest)

    @cached_property
    def split(self) -> Split:
        """The configured split; made when it is asked for, since not every use of data needs one.

        Raises:
            BadInput: the images cannot be split so, or a part has no class.
        """
        parts = self.split_by(self._options)
        for part, indices in vars(parts).items():
            if not len(indices):
                raise BadInput(
                    f"{self._options.name}: each image of the {part} split is a copy of one in another part, so "
                    "data.remove_duplicates=true leaves none; use another split, e.g. data.split=shuffled"
                )
            self._check_known(indices, f"the {part} split")
        return parts

    def part(self, name: str) -> Indices:
        """The images of a part of the split; with `all` every image of the source, whether it is in a split or not.

        Raises:
            BadInput: the images cannot be split, or all of their pixels are unknown.
        """
        if name != "all":
            indices: Indices = getattr(self.split, name)
            return indices
        every, none = np.arange(len(self.source.names)), np.array([], np.int64)
        indices = self._unique(Split(none, none, every)).test if self._options.remove_duplicates else every
        self._check_known(indices, "all images")
        return indices

    @cached_property
    def training_pixels(self) -> dict[str, int]:
        """Pixels of each class in the training images, at the network's size."""
        return dict(zip(self.label_type.classes, self._training_counts[1:].tolist(), strict=True))

    @property
    def unknown_share(self) -> float:
        """The share of unknown pixels in the training images, at the network's size."""
        return float(self._training_counts[0] / self._training_counts.sum())

    @cached_property
    def undeclared(self) -> dict[int, float]:
        """Raw values (see `LabelType.raw`) that `unknown: others` makes unknown, with their shares of all pixels.

        Of a sample of the training labels, the most frequent ones first; empty if unknown values are listed.
        """
        if not self.label_type.ids or self.label_type.unknown is not None:
            return {}
        train = self.split.train
        sample = train[:: -(-len(train) // SAMPLED)]
        return undeclared_shares(self.label_type, (self.source.label(index, self.label_type.name) for index in sample))

    @cached_property
    def _training_counts(self) -> NDArray[np.int64]:
        """Pixels of the training images that are unknown, and of each class: int64 [1 + classes]."""
        counts = np.zeros(len(self.label_type.classes) + 1, np.int64)
        for index in self.split.train:  # one at a time: the labels are mapped from a file
            counts += np.bincount(self.preprocessed.labels[index].ravel().astype(np.int64) + 1, minlength=len(counts))
        return counts

    def _check_known(self, indices: Indices, where: str) -> None:
        if not any((self.preprocessed.labels[index] >= 0).any() for index in indices):
            raise BadInput(f"{self._options.name}: all pixels of {where} are unknown, so it cannot be used")

    def _unique(self, parts: Split) -> Split:
        return without_duplicates(parts, self._image_hashes)

    @cached_property
    def _image_hashes(self) -> Sequence[str]:
        return self.preprocessed.image_hashes(np.arange(len(self.source.names)))

    @cached_property
    def copies(self) -> dict[int, int]:
        """The images that `data.remove_duplicates` leaves out, each with the equal image that is kept."""
        if not self._options.remove_duplicates:
            return {}
        return left_out_copies(split_names(self._options, self.source.names), self.split, self._image_hashes)

    def split_by(self, options: Data) -> Split:
        """These images as the options split them.

        Raises:
            BadInput: they cannot be split so.
        """
        try:
            parts = split_names(options, self.source.names)
        except ValueError as error:
            raise BadInput(f"{options.name}: {error}") from error
        if options.remove_duplicates:
            return self._unique(parts)
        return parts

    @property
    def group_counts(self) -> dict[str, int]:
        """The number of groups in each part of the split; empty without groups."""
        return {} if self.groups is None else group_counts(self.split, self.groups)

    def truth(self, index: int) -> NDArray[np.int16]:
        """The class ids of an image at its label's original size, [height, width]; negative = unknown."""
        return self.label_type.target(self.source.label(index, self.label_type.name))


def _groups(options: Data, names: Sequence[str]) -> tuple[str, ...] | None:
    if options.groups_file is not None:
        return groups_by_file(names, Path(options.groups_file), options.groups_digest, options.image_suffix)
    return groups_by_pattern(names, options.groups) if options.groups is not None else None


def split_names(options: Data, names: Sequence[str]) -> Split:
    """Images of these names as the options split them.

    Raises:
        BadInput: the split files were changed, a group cannot be found, or a given split divides groups.
        ValueError: the images cannot be split so.
    """
    groups = _groups(options, names)
    if options.split_files is not None:
        parts = read_split_files(Path(options.split_files))
        if split_digest(parts) != options.split_digest:
            raise BadInput(
                f"data.split_files={options.split_files}: the split was changed since the run was configured; "
                "restore its files or start a new run"
            )
        lists = without_suffix(parts, options.image_suffix)
        return _with_whole_groups(split_by_names(names, lists), groups, options)
    if options.split == "folders":
        return _with_whole_groups(split_by_folders(names), groups, options)
    if groups is not None:
        return split_groups(groups, options.split, options.split_seed, options.folds, options.fold)
    return split(len(names), options.split, options.split_seed, options.folds, options.fold)


def _with_whole_groups(given: Split, groups: Sequence[str] | None, options: Data) -> Split:
    """The given split.

    Raises:
        BadInput: it divides a group, so that images that belong together are trained and tested on.
    """
    divided = divided_groups(given, groups) if groups is not None else []
    if divided:
        places = "the split files" if options.split == "files" else "the folders"
        hint = f"Have each group in one of {places}, or leave it out; data.groups=null accepts the split as it is."
        raise BadInput(problems_message("The split divides groups of data.groups", divided, hint))
    return given
