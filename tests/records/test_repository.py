"""The branch and the address of the repository that the code comes from."""

from pathlib import Path

import pytest

from activation_study.records.code_changes import git_state
from activation_study.records.repository import public_url
from git_command import git


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://example.org/team/study.git", "https://example.org/team/study.git"),
        ("https://anna:s3cret@example.org:8443/study.git", "https://example.org:8443/study.git"),
        ("https://ghp_token@example.org/study.git?token=1", "https://example.org/study.git"),
        ("ssh://git@example.org/study.git", "ssh://example.org/study.git"),
        ("git@example.org:team/study.git", "example.org:team/study.git"),
        ("file:///home/anna/study", None),
        ("/home/anna/study", None),
        ("../study", None),
        ("", None),
    ],
)
def test_an_address_is_recorded_without_credentials_and_a_folder_is_not(url: str, public: str | None) -> None:
    assert public_url(url) == public


def test_the_branch_is_recorded_and_a_checked_out_commit_has_none(project: Path) -> None:
    git(project, "checkout", "-q", "-b", "try-mish")
    git(project, "remote", "add", "origin", "https://anna:s3cret@example.org/study.git")
    assert (git_state()["branch"], git_state()["url"]) == ("try-mish", "https://example.org/study.git")
    git(project, "checkout", "-q", "--detach")
    assert git_state()["branch"] is None
    git(project, "remote", "remove", "origin")
    assert git_state()["url"] is None
