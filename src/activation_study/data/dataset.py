"""All data of a run: the source, its prepared arrays and their split."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from activation_study.config.schema import Config, Data
from activation_study.data.label_types import LabelResize, label_type_of
from activation_study.data.preprocessing import PreprocessedData, preprocess
from activation_study.data.source import Source, open_source
from activation_study.data.split_files import read_split_files, split_digest
from activation_study.data.splits import Split, split, split_by_names, without_duplicates
from activation_study.errors import BadInput


class Dataset:
    """What a configuration trains on and is scored by.

    Raises:
        BadInput: the data set cannot be had or used.
    """

    def __init__(self, config: Config) -> None:
        options = config.data
        resize: LabelResize = "nearest" if options.label_interpolation == "nearest" else "bilinear"
        self.label_type = label_type_of(config)
        self.source: Source = open_source(options, self.label_type)
        self.preprocessed: PreprocessedData = preprocess(
            self.source, self.label_type, config.image_size, options.channel_order, resize, Path(options.cache)
        )
        try:
            self.split: Split = _split(options, self.source.names)
        except ValueError as error:
            raise BadInput(f"{options.name}: {error}") from error
        if options.remove_duplicates:
            everything = np.arange(len(self.source.names))
            self.split = without_duplicates(self.split, self.preprocessed.image_hashes(everything))
        for part, indices in vars(self.split).items():
            if not (self.preprocessed.labels[indices] >= 0).any():
                raise BadInput(f"{options.name}: no pixel of the {part} split has a class; nothing to learn or score")

    def truth(self, index: int) -> NDArray[np.int16]:
        """Class ids [height, width] of a picture at its label's own size, negative = unknown."""
        return self.label_type.target(self.source.label(index, self.label_type.name))


def _split(options: Data, names: Sequence[str]) -> Split:
    if options.split_files is not None:
        parts = read_split_files(Path(options.split_files))
        if split_digest(parts) != options.split_digest:
            raise BadInput(f"data.split_files={options.split_files}: not the split that it was when the run was made")
        return split_by_names(names, parts)
    return split(len(names), options.split, options.split_seed, options.folds, options.fold)
