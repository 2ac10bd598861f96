"""Recognises credentials, so that they are never stored or printed: in addresses, in names of files, in texts."""

import re
from typing import Any

# User and password of `scheme://user:password@host`; a password may contain "@" and "/", a port is none.
_USER_INFO = re.compile(r"(?<=://)(?:[^\s/?#]*|[^\s/@:]*:(?!\d+(?:[/?#\s]|$))[^\s@]*)@")
_SECRET_PARAMETER = re.compile(
    r"(?i)(?<=[?&])((?:[\w.-]*(?:password|passwd|pwd|token|secret|signature|credential|api_?key|access_?key)[\w.-]*)=)"
    r"[^&#\s'\"]*"
)
_SECRET_NAME = re.compile(r"(?i)secret|credential|token(?!i)|passw(or)?d|\.(pem|key|p12|pfx)$|^(id_|\.env|_?netrc$)")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY")


def without_credentials(text: str) -> str:
    """The text with every address in it freed from its user, its password and parameters that name a secret.

    `postgresql://ada:secret@host/db?password=secret` → `postgresql://host/db?password=***`
    """
    if "://" not in text:
        return text
    return _SECRET_PARAMETER.sub(r"\1***", _USER_INFO.sub("", text))


def has_credentials(text: str) -> bool:
    """Whether the text has an address with user or password, or a private key."""
    return without_credentials(text) != text or _PRIVATE_KEY.search(text) is not None


def without_credentials_inside(value: Any) -> Any:
    """Nested lists and dicts with the credentials of every text taken out."""
    if isinstance(value, dict):
        return {key: without_credentials_inside(each) for key, each in value.items()}
    if isinstance(value, list):
        return [without_credentials_inside(each) for each in value]
    return without_credentials(value) if isinstance(value, str) else value


def is_secret_name(path: str) -> bool:
    """Whether a file's path (with "/") says that it holds secrets: `.env`, `id_rsa`, `server.key`, `my_token.yaml`."""
    return any(_SECRET_NAME.search(part) for part in path.split("/"))
