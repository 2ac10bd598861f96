"""Flags are checked before Hydra sees them."""

from pathlib import Path

import pytest

from activation_study.cli.flags import checked_arguments
from activation_study.config.schema import Config
from activation_study.errors import BadInput


@pytest.mark.parametrize("flag", ["--config-dir", "-cd"])
def test_a_folder_of_options_has_to_exist(flag: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"^--config-dir .*/nowhere: no such folder"):
        checked_arguments([flag, str(tmp_path / "nowhere"), "seed=1"], "train", Config)
    assert checked_arguments([flag, str(tmp_path)], "train", Config) == [f"--config-dir={tmp_path}"]
