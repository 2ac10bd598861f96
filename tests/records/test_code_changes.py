"""The git commit, and the patch between it and the code that runs: of source code and nothing else."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from activation_study import location
from activation_study.records import code_changes
from activation_study.records.code_patch import CodeChanges
from git_command import git


def test_applying_the_patch_to_the_commit_gives_the_code(project: Path, tmp_path: Path) -> None:
    assert code_changes.git_state()["clean"] is True
    assert code_changes.code_changes().patch == b""
    (project / "src/activation_study/run/a.py").write_text("A = 'ä'\n")
    (project / "conf/new.yaml").write_bytes(b"# \xe4: not UTF-8\r\nx: 1\n")
    state = code_changes.git_state()
    assert state["clean"] is False
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(project), str(clone))
    (tmp_path / "changes.patch").write_bytes(code_changes.code_changes().patch)
    git(clone, "checkout", "-q", state["commit"])
    git(clone, "apply", str(tmp_path / "changes.patch"))
    assert (clone / "src/activation_study/run/a.py").read_text() == "A = 'ä'\n"
    assert (clone / "conf/new.yaml").read_bytes() == b"# \xe4: not UTF-8\r\nx: 1\n"


def test_outside_of_git_there_is_no_commit_and_no_patch(project: Path) -> None:
    subprocess.run(["rm", "-rf", str(project / ".git")], check=True)
    assert code_changes.git_state() == {"commit": None, "branch": None, "url": None, "clean": None}
    assert code_changes.code_changes().patch == b""


def test_an_installed_package_comes_from_no_commit_of_a_repository_around_it(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert code_changes.git_state()["commit"] is not None
    package = project / ".venv" / "lib" / "activation_study"
    package.mkdir(parents=True)
    monkeypatch.setattr(location, "PACKAGE", package)
    monkeypatch.setattr(location, "CLONE", package.parents[1])
    assert code_changes.git_state() == {"commit": None, "branch": None, "url": None, "clean": None}


NOT_CODE = (
    *("picture.jpg", "data/images/1.jpg", "notes.txt", "README.md", "benchmarks/new.py", "tests/test_new.py"),
    *(".env", ".env.yaml", "secrets.yaml", "credentials.toml", "api_token.py", "password.yaml", "server.pem"),
    *("id_rsa", "id_rsa.yaml", "conf/server.key", "src/.hidden/a.py", "docs/conf.py"),
)


def write(project: Path, name: str, content: str | bytes = "x = 1\n") -> None:
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.mark.parametrize("tracked", [False, True])
def test_what_is_not_code_is_neither_copied_nor_a_change(project: Path, tracked: bool) -> None:
    for name in NOT_CODE:
        write(project, name)
    if tracked:
        git(project, "add", "-f", ".")
        git(project, "commit", "-q", "-m", "all")
        for name in NOT_CODE:
            write(project, name, "x = 'changed'\n")
    assert code_changes.git_state()["clean"] is True
    assert code_changes.code_changes() == CodeChanges()


@pytest.mark.parametrize("name", ["train.py", "conf/data/own.yaml", "src/a/templates/b.html.j2", "pyproject2.toml"])
def test_new_code_is_copied(project: Path, name: str) -> None:
    write(project, name)
    assert code_changes.git_state()["clean"] is False
    assert f"+++ b/{name}".encode() in code_changes.code_changes().patch


def test_pinned_versions_count_where_they_are_tracked(project: Path) -> None:
    write(project, "constraints.txt", "a==1\n")
    assert code_changes.git_state()["clean"] is True
    git(project, "add", ".")
    git(project, "commit", "-q", "-m", "pins")
    write(project, "constraints.txt", "a==2\n")
    assert b"+a==2" in code_changes.code_changes().patch


@pytest.mark.parametrize("name", ["conf/tracking/secret.yaml", "src/my_credentials/a.py", "conf/token/a.yaml"])
@pytest.mark.parametrize("tracked", [False, True])
def test_secrets_among_the_code_are_named_and_not_copied(project: Path, name: str, tracked: bool) -> None:
    write(project, name)
    if tracked:
        git(project, "add", ".")
        git(project, "commit", "-q", "-m", "all")
        write(project, name, "hunter2\n")
    write(project, "conf/more.yaml")
    changes = code_changes.code_changes()
    assert changes.left_out == (f"{name}: its name is that of a secret",)
    assert b"conf/more.yaml" in changes.patch
    assert b"hunter2" not in changes.patch
    assert name.encode() not in changes.patch


@pytest.mark.parametrize("content", ["uri: http://ada:hunter2@host\n", "k: |\n  -----BEGIN RSA PRIVATE KEY-----\n"])
def test_a_file_that_contains_a_password_is_named_and_not_copied(project: Path, content: str) -> None:
    write(project, "conf/config.yaml", content)
    write(project, "conf/team.yaml", content)
    changes = code_changes.code_changes()
    reason = "it contains an address with a password, or a private key"
    assert changes == CodeChanges(b"", (f"conf/config.yaml: {reason}", f"conf/team.yaml: {reason}"))


@pytest.mark.parametrize(
    ("name", "content", "variable"),
    [
        ("conf/mine.yaml", "a: 1\npassword: hunter2\n", "password"),
        ("settings.py", 'api_key = "hunter2"\n', "api_key"),
        ("local.toml", '[db]\npassword="hunter2"\n', "password"),
        ("src/b/a.py", 'headers = {"x": "ghp_hunter2hunter2hunter2hunter2hunter2"}\n', "ghp_…"),
        ("src/activation_study/run/a.py", 'os.environ["HF_TOKEN"] = "hunter2"\n', "HF_TOKEN"),
    ],
)
def test_code_with_a_secret_is_named_and_not_copied(project: Path, name: str, content: str, variable: str) -> None:
    write(project, name, content)
    reason = f"it contains what looks like a password, token or key: {variable}"
    assert code_changes.code_changes() == CodeChanges(b"", (f"{name}: {reason}",))


def test_a_password_that_was_removed_since_the_commit_is_not_copied(project: Path) -> None:
    write(project, "conf/team.yaml", "uri: http://ada:hunter2@host\n")
    git(project, "add", ".")
    git(project, "commit", "-q", "-m", "all")
    write(project, "conf/team.yaml", "uri: http://host\n")
    assert b"hunter2" not in code_changes.code_changes().patch


def test_binary_content_and_links_are_not_copied(project: Path, tmp_path: Path) -> None:
    (tmp_path / "private.yaml").write_text("hunter2\n")
    (project / "conf/link.yaml").symlink_to(tmp_path / "private.yaml")
    write(project, "conf/photo.yaml", b"\x89PNG\0\0")
    write(project, "src/activation_study/run/a.py", b"\0\0")
    changes = code_changes.code_changes()
    assert changes.patch == b""
    assert sorted(changes.left_out) == [
        "conf/photo.yaml: binary content",
        "src/activation_study/run/a.py: binary content",
    ]


@pytest.mark.parametrize("name", ["conf/config.yaml", "conf/large.yaml"])
def test_a_patch_above_the_limit_is_left_out_as_a_whole(project: Path, name: str) -> None:
    write(project, name, "# 456789\n" * 2**17)
    write(project, "conf/small.yaml")
    changes = code_changes.code_changes()
    assert changes.patch == b""
    (reason,) = changes.left_out
    assert reason.startswith("the whole patch: 1,")
    assert f"the largest files: {name} (1,179,648 bytes), conf/small.yaml (6 bytes)" in reason


def test_ignored_files_stay_out(project: Path) -> None:
    write(project, ".gitignore", "/conf/local.yaml\n")
    write(project, "conf/local.yaml")
    assert code_changes.git_state()["clean"] is True


def test_a_removed_file_is_a_change(project: Path) -> None:
    (project / "conf/config.yaml").unlink()
    assert b"-seed: 0" in code_changes.code_changes().patch


def test_the_users_git_settings_do_not_change_the_patch(project: Path) -> None:
    write(project, "conf/config.yaml", "seed: 1\n")
    write(project, "conf/new.yaml")
    before = code_changes.code_changes().patch
    for key, value in {"diff.noprefix": "true", "color.diff": "always", "diff.external": "false"}.items():
        git(project, "config", key, value)
    assert code_changes.code_changes().patch == before


def test_thousands_of_files_take_few_calls_of_git(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3000):
        write(project, f"data/images/{number}.jpg")
        write(project, f"{number}.png")
        write(project, f"src/extra/{number}.py")
    calls: list[list[str]] = []
    run = subprocess.run

    def count(command: list[str], **options: Any) -> Any:
        calls.append(command)
        return run(command, **options)

    monkeypatch.setattr(subprocess, "run", count)
    assert code_changes.git_state()["clean"] is False
    assert code_changes.code_changes().patch.count(b"diff --git ") == 3000
    assert len(calls) < 20
    assert not any("data" in argument for call in calls for argument in call), "git does not look at the data"
