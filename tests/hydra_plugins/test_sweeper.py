"""The sweeper composes the configuration of a job faster than Hydra, with the same result."""

from pathlib import Path

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.config_store import ConfigStore
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import OmegaConf, flag_override

from activation_study.config.schema import Config
from hydra_plugins.study_sweeper import Composer

CONF = Path(__file__).parents[2] / "conf"
JOBS = [
    ["activation=mish", "seed=3"],
    ["activation=mish", "seed=4"],
    ["seed=4", "activation=frelu", "activation.layer.kernel_size=5"],
    ["experiment=small", "label_type=regions", "training.epochs=7", "data.image_size=[64,96]"],
    ["data=scenes", "++data.count=9", "model.widths=[1,2]", "activation=frelu", "~activation.layer.kernel_size"],
    ["activation.layer={_target_:keras.layers.ReLU}", "tracking=off"],
]


@pytest.fixture
def loader() -> ConfigLoaderImpl:
    ConfigStore.instance().store("schema", Config)
    return ConfigLoaderImpl(config_search_path=create_config_search_path(str(CONF)))


def test_configurations_are_equal_to_those_of_hydra(loader: ConfigLoaderImpl) -> None:
    master = loader.load_configuration("config", ["hydra.mode=MULTIRUN"], RunMode.MULTIRUN)
    compose = Composer(loader, master)
    for _ in range(2):  # the second time from the cache
        for job in JOBS:
            expected = loader.load_sweep_config(master, job)
            with flag_override(expected, ["readonly", "struct"], False):
                del expected["hydra"]
            assert OmegaConf.to_container(compose(job)) == OmegaConf.to_container(expected), job
            assert OmegaConf.get_type(compose(job)) is OmegaConf.get_type(expected)


@pytest.mark.parametrize("job", [["seed=x"], ["bogus=1"], ["activation=bogus"], ["activation.bogus.x=1"]])
def test_errors_are_equal_to_those_of_hydra(loader: ConfigLoaderImpl, job: list[str]) -> None:
    master = loader.load_configuration("config", [], RunMode.MULTIRUN)
    with pytest.raises(HydraException) as expected:
        loader.load_sweep_config(master, job)
    with pytest.raises(HydraException) as error:
        Composer(loader, master)(job)
    assert str(error.value).splitlines()[0] == str(expected.value).splitlines()[0]
