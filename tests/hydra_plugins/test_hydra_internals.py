"""What this project uses of Hydra beyond its public interface, all of it in `study_sweeper.py`.

Where one of these tests fails after an update of Hydra, `hydra_plugins/study_sweeper.py` is what has to change.
"""

import ast
import inspect

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

from cli_runner import ROOT


def test_one_module_imports_hydras_internals() -> None:
    importers = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hydra._internal"):
                importers.add(path.name)
    assert importers == {"study_sweeper.py"}


def test_the_sweeper_splits_overrides_into_jobs() -> None:
    assert list(inspect.signature(BasicSweeper.split_arguments).parameters) == ["overrides", "max_batch_size"]
    assert list(inspect.signature(BasicSweeper._parse_config).parameters) == ["self"]
    assert list(inspect.signature(BasicSweeper.__init__).parameters) == ["self", "max_batch_size", "params"]


def test_the_loader_composes_groups_and_applies_values_afterwards() -> None:
    sweep = inspect.signature(ConfigLoaderImpl.load_sweep_config)
    assert list(sweep.parameters) == ["self", "master_config", "sweep_overrides"]
    apply = inspect.signature(ConfigLoaderImpl._apply_overrides_to_config)
    assert list(apply.parameters) == ["overrides", "cfg"]
    assert "group_exists" in dir(ConfigLoaderImpl.__init__.__globals__["CachingConfigRepository"])
