"""Credentials are recognised in addresses, names of files and texts."""

from pathlib import Path

import pytest

from activation_study.credentials import (
    has_credentials,
    is_secret_name,
    secret_in_code,
    without_credentials,
    without_credentials_inside,
)
from activation_study.records.code_patch import SUFFIXES


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://ada:hunter2@host:5000/x", "http://host:5000/x"),
        ("tracking.uri=http://ada@host", "tracking.uri=http://host"),
        ("postgresql+psycopg2://ada:hunter2@db/mlflow", "postgresql+psycopg2://db/mlflow"),
        ("http://ada:hunt@er2@host/x", "http://host/x"),
        ("http://ada:hunt/er2@host/x", "http://host/x"),
        ("http://ada:hunt?er#2@host/x", "http://host/x"),
        ("http://:hunter2@host", "http://host"),
        ("postgresql://db/mlflow?user=ada&password=hunter2&x=1", "postgresql://db/mlflow?user=ada&password=***&x=1"),
        ("https://store/a.tar.gz?X-Amz-Signature=1a&X-Amz-Security-Token=2b", None),
        ("at http://a:b@c and http://d:e@f, twice", "at http://c and http://f, twice"),
    ],
)
def test_credentials_are_taken_out_of_addresses(text: str, expected: str | None) -> None:
    assert without_credentials(text) == (
        expected or "https://store/a.tar.gz?X-Amz-Signature=***&X-Amz-Security-Token=***"
    )
    assert has_credentials(text)
    assert without_credentials_inside({"a": [text, 1, None], "b": {"c": text}}) == {
        "a": [without_credentials(text), 1, None],
        "b": {"c": without_credentials(text)},
    }


@pytest.mark.parametrize(
    "text",
    [
        "sqlite:///mlflow.db",
        "sqlite:////home/ada@work/mlflow.db",
        "http://127.0.0.1:5000",
        "http://host:5000/a@b",
        "http://host/a?page=2",
        "see http://host, or write to ada@example.org",
        "file:///a/b@c",
        "surfaces@home",
    ],
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert without_credentials(text) == text
    assert not has_credentials(text)


def test_a_private_key_is_a_credential() -> None:
    assert has_credentials("-----BEGIN OPENSSH PRIVATE KEY-----")
    assert has_credentials("-----BEGIN PRIVATE KEY-----")


@pytest.mark.parametrize("name", [".env", "a/.env.local", "a.pem", "id_ed25519", "conf/Secrets/a.yaml", "api-token.py"])
def test_names_of_secrets_are_recognised(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["train.py", "conf/tokenizer.yaml", "src/a/keyboard.py", "video_id.py", "idea.py"])
def test_other_names_are_not(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "text",
    [
        'token: str = "a"',
        "client_secret='a'",
        '{"Password": "a b"}',
        'connect(dbPassword=r"a")',
        'k = "AKIA1234567890ABCDEF"',
    ],
)
def test_secrets_in_code_are_found(text: str) -> None:
    assert secret_in_code(text, yaml=False)
    assert not secret_in_code("\n".join(f"+{line}" for line in ("api_key = 1", "x: y")), yaml=False)


@pytest.mark.parametrize("text", ["+  - api_key: a", "access-key: |\n  a", "token: 1", "password: 'a'"])
def test_secrets_in_yaml_need_no_quotes(text: str) -> None:
    assert secret_in_code(text, yaml=True)


@pytest.mark.parametrize(
    "text",
    [
        *("token: ${oc.env:TOKEN}", "token: null", "token: ???", "password:", "password: # none", "max_tokens: 512"),
        *('pad_token="<pad>"', 'oov_token: "[UNK]"', 'token = ""', 'password = environ["PASSWORD"]', "tokenizer: bert"),
    ],
)
def test_references_and_placeholders_are_no_secrets(text: str) -> None:
    assert secret_in_code(text, yaml=True) is None


def test_this_projects_own_code_has_no_secrets() -> None:
    root = Path(__file__).parents[1]
    for path in (path for folder in ("src", "conf") for path in (root / folder).rglob("*") if path.suffix in SUFFIXES):
        assert secret_in_code(path.read_text(encoding="utf-8"), yaml=path.suffix == ".yaml") is None, path
