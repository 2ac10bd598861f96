"""The data of a run: the source, its preprocessed arrays and their split."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from activation_study.config.schema import Config, Data
from activation_study.data.image_reader import image_reader
from activation_study.data.label_types import LabelInterpolation, label_type_of
from activation_study.data.preprocessing import PreprocessedData, preprocess
from activation_study.data.source import Source, open_source
from activation_study.data.split_files import read_split_files, split_digest
from activation_study.data.splits import Split, split, split_by_names, without_duplicates
from activation_study.errors import BadInput


class Dataset:
    """The data that a configuration trains and evaluates on.

    Raises:
        BadInput: the data set cannot be fetched, read or split, or a part of the split has no class.
    """

    def __init__(self, config: Config) -> None:
        options = config.data
        interpolation: LabelInterpolation = "nearest" if options.label_interpolation == "nearest" else "bilinear"
        self.label_type = label_type_of(config)
        self.source: Source = open_source(options, self.label_type)
        self.preprocessed: PreprocessedData = preprocess(
            self.source,
            self.label_type,
            config.image_size,
            options.channel_order,
            interpolation,
            Path(options.cache),
            image_reader(options),
        )
        self.split: Split = self.split_by(options)
        for part, indices in vars(self.split).items():
            if not (self.preprocessed.labels[indices] >= 0).any():
                raise BadInput(f"{options.name}: all pixels of the {part} split are unknown, so it cannot be used")

    def split_by(self, options: Data) -> Split:
        """These images as the options split them.

        Raises:
            BadInput: they cannot be split so.
        """
        try:
            parts = _split(options, self.source.names)
        except ValueError as error:
            raise BadInput(f"{options.name}: {error}") from error
        if options.remove_duplicates:
            parts = without_duplicates(parts, self.preprocessed.image_hashes(np.arange(len(self.source.names))))
        return parts

    def truth(self, index: int) -> NDArray[np.int16]:
        """The class ids of an image at its label's original size, [height, width]; negative = unknown."""
        return self.label_type.target(self.source.label(index, self.label_type.name))


def _split(options: Data, names: Sequence[str]) -> Split:
    if options.split_files is not None:
        parts = read_split_files(Path(options.split_files))
        if split_digest(parts) != options.split_digest:
            raise BadInput(
                f"data.split_files={options.split_files}: the split was changed since the run was configured; "
                "restore its files or start a new run"
            )
        return split_by_names(names, parts)
    return split(len(names), options.split, options.split_seed, options.folds, options.fold)
