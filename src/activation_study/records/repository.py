"""Which branch of which repository the code comes from."""

from collections.abc import Callable

from activation_study.credentials import without_credentials


def branch_and_url(git: Callable[..., bytes]) -> dict[str, str | None]:
    """`branch` and `url` of the repository; None where there is none, e.g. where a commit is checked out.

    Args:
        git: runs git with these arguments and returns its output; `max_status` is the highest status that is no error.
    """
    url = git("config", "--get", "remote.origin.url", max_status=1).decode().strip()
    return {"branch": git("branch", "--show-current").decode().strip() or None, "url": public_url(url)}


def public_url(url: str) -> str | None:
    """A repository's address without user name and password; None for a folder of this machine, or no address."""
    scheme, separator, _ = url.partition("://")
    if not separator:  # HOST:PATH, or a path
        host, colon, path = url.rpartition("@")[2].partition(":")
        return f"{host}:{path}" if colon and host and path and "/" not in host else None
    return None if scheme == "file" else without_credentials(url.partition("?")[0])
