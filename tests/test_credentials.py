"""Credentials are recognised in addresses, names of files and texts."""

import pytest

from activation_study.credentials import (
    has_credentials,
    is_secret_name,
    without_credentials,
    without_credentials_inside,
)


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
