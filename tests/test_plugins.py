"""Plug-ins: found without being imported, allowed by the user alone, digested by their source."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from activation_study import plugins
from activation_study.config.components import find_target
from activation_study.errors import BadInput


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package `parts_of_a_test` in the current folder; it remembers that it was imported."""
    package = tmp_path / "parts_of_a_test"
    (package / "more").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "losses.py").write_text("class Mine(ValueError): ...\nclass Other: ...\n")
    (package / "more" / "deep.py").write_text("VALUE = 1\n")
    (tmp_path / "single_of_a_test.py").write_text("def build(): ...\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(plugins, "_allowed", {})
    yield package
    for name in [name for name in sys.modules if "_of_a_test" in name]:
        del sys.modules[name]


def test_an_allowed_module_is_imported_when_it_is_needed(parts: Path) -> None:
    plugins.allow(["parts_of_a_test.losses"])
    assert "parts_of_a_test.losses" not in sys.modules
    found = find_target("loss._target_", "parts_of_a_test.losses.Mine", ValueError, {})
    assert found.__name__ == "Mine"
    assert "parts_of_a_test.losses" in sys.modules


@pytest.mark.parametrize("target", ["parts_of_a_test.losses.Other", "parts_of_a_test.losses.Nothing"])
def test_only_fitting_classes_are_taken(parts: Path, target: str) -> None:
    plugins.allow(["parts_of_a_test.losses"])
    with pytest.raises(BadInput, match=r"parts_of_a_test\.losses has no valueerror of that name"):
        find_target("loss._target_", target, ValueError, {})


@pytest.mark.parametrize("allowed", [[], ["parts_of_a_test.more.deep"], ["parts_of_a_test"]])
def test_exactly_the_named_modules_are_allowed(parts: Path, allowed: list[str]) -> None:
    plugins.allow(allowed)
    with pytest.raises(BadInput, match=r"only classes of .* or modules in plugins=\[…\] are allowed"):
        find_target("loss._target_", "parts_of_a_test.losses.Mine", ValueError, {"keras.losses": {}})


@pytest.mark.parametrize("name", ["nothing_of_a_test", "parts_of_a_test.nothing", "", "a/b", "parts_of_a_test..more"])
def test_a_module_that_is_not_there_is_refused_at_once(parts: Path, name: str) -> None:
    with pytest.raises(BadInput, match="there is no such module"):
        plugins.allow([name])


def test_an_error_of_its_import_is_told(parts: Path) -> None:
    (parts / "broken.py").write_text("import nothing_of_a_test\n")
    plugins.allow(["parts_of_a_test.broken"])
    with pytest.raises(BadInput, match=r"plugins=\[parts_of_a_test\.broken\]: it cannot be imported: ModuleNotFound"):
        plugins.contents("parts_of_a_test.broken")


def test_a_record_does_not_allow_what_it_names(parts: Path) -> None:
    plugins.require([], "run")
    with pytest.raises(BadInput, match=r"run uses plugins=\[parts_of_a_test\.losses\], which is code from outside"):
        plugins.require(["parts_of_a_test.losses"], "run")
    plugins.allow(["parts_of_a_test.losses"])
    plugins.require(["parts_of_a_test.losses"], "run")


def test_the_digest_is_that_of_the_whole_package(parts: Path) -> None:
    names = ["parts_of_a_test.losses"]
    plugins.allow(names)
    files = [f"parts_of_a_test/{name}.py" for name in ("__init__", "losses", "more/deep")]
    assert sorted(plugins.sources(names)) == files
    before = plugins.digest(names)
    assert before == plugins.digest(["parts_of_a_test.more.deep"])
    (parts / "more" / "deep.py").write_text("VALUE = 2\n")
    assert plugins.digest(names) != before


def test_what_lies_beside_a_plug_in_belongs_to_it_if_it_is_imported(parts: Path) -> None:
    folder = parts.parent
    (folder / "single_of_a_test.py").write_text("import numpy\nfrom helper_of_a_test.more import VALUE\n")
    (folder / "helper_of_a_test").mkdir()
    (folder / "helper_of_a_test" / "more.py").write_text("def build():\n    import parts_of_a_test.losses\n")
    (folder / "unused_of_a_test.py").write_text("")
    plugins.allow(["single_of_a_test"])
    files = set(plugins.sources(["single_of_a_test"]))
    assert files == {
        "single_of_a_test.py",
        "helper_of_a_test/more.py",
        *(f"parts_of_a_test/{name}.py" for name in ("__init__", "losses", "more/deep")),
    }
    assert plugins.packages(["single_of_a_test"]) == [
        folder / name for name in ("helper_of_a_test", "parts_of_a_test", "single_of_a_test.py")
    ]


def test_what_lies_beside_an_installed_plug_in_is_another_package(
    parts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "site-packages"
    installed.mkdir()
    (installed / "installed_of_a_test.py").write_text("import other_of_a_test\n")
    (installed / "other_of_a_test.py").write_text("")
    monkeypatch.syspath_prepend(installed)
    assert set(plugins.sources(["installed_of_a_test"])) == {"installed_of_a_test.py"}


def test_files_that_change_after_they_were_allowed_are_told(parts: Path) -> None:
    names = ["parts_of_a_test.losses", "single_of_a_test"]
    plugins.allow(names)
    assert plugins.changed(names) == []
    (parts / "more" / "deep.py").write_text("VALUE = 2\n")
    plugins.allow(names)
    assert plugins.changed(names) == ["parts_of_a_test.losses"]


def test_a_single_file_is_a_plug_in_too(parts: Path) -> None:
    plugins.allow(["single_of_a_test"])
    assert list(plugins.sources(["single_of_a_test"])) == ["single_of_a_test.py"]
    assert find_target("model._target_", "single_of_a_test.build", None, {}).__name__ == "build"
