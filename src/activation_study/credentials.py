"""Recognises credentials, so that they are never stored or printed: in addresses, names of files, texts and code."""

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
_VARIABLE = (
    r"[\w.-]*(?:passw(?:or)?d|passphrase|pwd|secret|token|credential|(?:api|access|secret|private|auth)[_-]?key)"
)
# Values that start like these are references and placeholders: `${oc.env:TOKEN}`, `<your token>`, `[UNK]`, `***`.
_REFERENCE = r"[<$*{\[]"
# A variable, a key or an index gets a text in quotes, perhaps after a type.
_QUOTED_SECRET = re.compile(
    rf"(?i)({_VARIABLE})[\"'\]]*\s*(?::[\w\[\]|. ]+)?[:=]\s*[rbfu]{{0,2}}([\"'])(?!{_REFERENCE})[^\"'\n]+\2"
)
_YAML_SECRET = re.compile(rf"(?im)^[-+\s]*({_VARIABLE})\s*:\s+(?!{_REFERENCE}|[\"'&!?#~]|(?:null|true|false)\b)\S")
# Of GitHub, GitLab, Hugging Face, OpenAI, Slack, AWS and Google; and JSON web tokens.
_KNOWN_TOKEN = re.compile(
    r"\b(?:gh[oprsu]_\w{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|hf_\w{30,}|sk-[\w-]{20,}|xox[abprs]-[\w-]{10,}"
    r"|AKIA[0-9A-Z]{16}|AIza[\w-]{35}|eyJ[\w-]{10,}\.eyJ[\w-]{10,})"
)


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


def secret_in_code(text: str, yaml: bool) -> str | None:
    """The name of the first variable or key to which source code gives a password, token or key; None if none gets one.

    Args:
        text: the code, or a patch of it.
        yaml: whether it is YAML, where text needs no quotes.
    """
    found = _QUOTED_SECRET.search(text) or (_YAML_SECRET.search(text) if yaml else None)
    if found:
        return found[1]
    known = _KNOWN_TOKEN.search(text)
    return f"{known[0][:4]}…" if known else None


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
