"""The house's rules, held by reading the source: which way imports run, who may import what."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "activation_study"
# From the ground up: a package imports only itself and what stands before it. All other modules are the ground.
LAYERS = (
    *("config", "data", "image_metrics", "validation", "model", "records", "tuning", "training", "evaluation"),
    *("tracking", "analysis", "runs", "inference", "report", "sweep", "api", "cli"),
)
MODULES = sorted(PACKAGE.rglob("*.py"))


def imports(path: Path, top_level_only: bool = False) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else list(ast.walk(tree))
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def layer(dotted: str) -> int:
    part = dotted.removeprefix("activation_study.").split(".")[0]
    if part in ("__init__", "__main__"):  # the front: they hand out and call what is on top
        return len(LAYERS)
    return LAYERS.index(part) if part in LAYERS else -1


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_run_downward_only(path: Path) -> None:
    relative = path.relative_to(PACKAGE)
    own = layer(relative.parts[0].removesuffix(".py"))
    for name in imports(path):
        if name.startswith("activation_study."):
            assert layer(name) <= own, f"{relative} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_dict_config_stays_above_the_border(path: Path) -> None:
    if path.name not in ("commands.py", "validation.py", "plan.py", "run_sweep.py"):
        assert not any(name.endswith("DictConfig") for name in imports(path))


def test_only_tracking_imports_mlflow_and_only_inside_of_functions() -> None:
    importers = {path for path in MODULES if any(name.split(".")[0] == "mlflow" for name in imports(path))}
    assert {path.relative_to(PACKAGE).parts[0] for path in importers} == {"tracking"}
    for path in importers - {PACKAGE / "tracking" / "run_page" / "logged_model.py"}:  # MLflow itself runs it, elsewhere
        lines = path.read_text(encoding="utf-8").splitlines()
        assert not [line for line in lines if line.startswith(("import mlflow", "from mlflow"))], path.name


def test_only_the_backend_and_the_fast_layers_import_tensorflow() -> None:
    importers = {path.stem for path in MODULES if any(name.split(".")[0] == "tensorflow" for name in imports(path))}
    assert importers == {"on_tensorflow", "keras_import", "activations", "normalization"}


def test_heavy_packages_are_imported_late_where_a_sweep_with_nothing_to_do_passes() -> None:
    heavy = {"tensorflow", "keras", "mlflow", "cv2", "matplotlib", "scipy"}
    light = [
        PACKAGE / name
        for name in (
            "cli/main.py",
            "cli/help.py",
            "cli/commands.py",
            "config/schema.py",
            "sweep/run_sweep.py",
            "records/record.py",
        )
    ]
    light += [PACKAGE / name for name in ("sweep/plan.py", "sweep/status.py", "records/lock.py", "tracking/mirror.py")]
    light += [
        PACKAGE / name
        for name in ("report/article_table.py", "sweep/watching/run_states.py", "sweep/watching/watch.py")
    ]
    for path in light:
        assert not heavy & {name.split(".")[0] for name in imports(path, top_level_only=True)}, path


def test_nothing_is_unpickled() -> None:
    for path in MODULES:
        assert not imports(path) & {"pickle", "dill", "joblib", "shelve", "marshal"}, path
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if ast.unparse(call.func) == "np.load":
                assert "allow_pickle=False" in ast.unparse(call), path
            assert "allow_pickle=True" not in ast.unparse(call), path
            assert not ast.unparse(call.func).endswith(("yaml.load", "yaml.unsafe_load", "hydra.utils.instantiate")), (
                path
            )


def test_the_code_that_trains_knows_no_option_by_its_name() -> None:
    groups = ("activation", "augmentation", "initializer", "loss", "model", "normalization", "optimizer", "schedule")
    options = {path.stem for group in groups for path in (PACKAGE.parents[1] / "conf" / group).glob("*.yaml")}
    options -= {"none"}  # an answer to many questions
    assert {"mish", "adam_amsgrad", "unet", "cross_entropy", "plateau", "flip", "batch"} <= options
    trains = [path for name in ("training", "evaluation", "runs") for path in (PACKAGE / name).rglob("*.py")]
    trains += [PACKAGE / "data" / f"{name}.py" for name in ("augmentation", "batching")]
    trains += [PACKAGE / "model" / f"{name}.py" for name in ("build", "network", "network_parts", "layer_factories")]
    trains += [PACKAGE / "model" / "activation_factory.py", *(PACKAGE / "model" / "losses").glob("*.py")]
    for path in trains:
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        words = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        assert not words & options, path


def test_entry_points_are_thin() -> None:
    for path in PACKAGE.parents[1].glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 25, path


def test_there_is_no_module_for_everything() -> None:
    assert not [path for path in MODULES if path.stem in ("utils", "helpers", "common", "misc")]


def test_help_and_the_package_itself_load_no_framework() -> None:
    frameworks = {"hydra", "omegaconf", "tensorflow", "keras", "mlflow", "numpy"}
    for name in ("__init__.py", "__main__.py", "cli/__init__.py", "cli/main.py", "cli/help.py", "location.py"):
        assert not frameworks & {each.split(".")[0] for each in imports(PACKAGE / name, top_level_only=True)}, name
