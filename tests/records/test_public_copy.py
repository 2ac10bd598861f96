"""What earlier versions wrote into a run's folder is not copied with passwords, pictures or `.env`."""

from pathlib import Path

import pytest

from activation_study.records.public_copy import public_copy

PART = """diff --git {prefix}/{name} b/{name}
new file mode 100644
--- /dev/null
+++ b/{name}
@@ -0,0 +1 @@
+{line}
"""


def part(name: str, line: str = "x = 1", prefix: str = "b") -> str:
    return PART.format(prefix=prefix, name=name, line=line)


def copied(path: Path, text: str) -> str:
    path.write_text(text)
    with public_copy(path) as copy:
        assert copy.name == path.name
        content = copy.read_text()
    assert path.read_text() == text
    return content


@pytest.mark.parametrize("name", ["run.json", "config.yaml", "traceback.txt", "index.html"])
def test_passwords_in_addresses_are_taken_out(tmp_path: Path, name: str) -> None:
    assert copied(tmp_path / name, '{"uri": "http://ada:hunter2@host"}\n') == '{"uri": "http://host"}\n'


def test_a_file_without_passwords_is_copied_itself(tmp_path: Path) -> None:
    for name in ("run.json", "picture.png", "changes.patch"):
        (tmp_path / name).write_bytes(part("src/b/a.py", "# \udcff").encode(errors="surrogateescape"))
        with public_copy(tmp_path / name) as copy:
            assert copy == tmp_path / name


def test_a_patch_of_any_file_becomes_one_of_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = part("src/b/a.py", prefix="a")
    others = [part(".env", "PASSWORD=hunter2"), part("notes.txt"), part("conf/a.yaml", "uri: http://a:hunter2@host")]
    others += ["diff --git a/conf/1.yaml b/conf/1.yaml\nBinary files a/conf/1.yaml and b/conf/1.yaml differ\n"]
    others += [part(f"{number}.jpg") for number in range(9)]
    assert copied(tmp_path / "changes.patch", "".join([*others, code])) == code
    note = capsys.readouterr().err
    assert note.count("\n") == 1
    assert "changes.patch is copied without 13 files: .env: it is no source code; notes.txt: it is" in note
    assert "conf/a.yaml: it contains an address with a password" in note
    assert "conf/1.yaml: binary content" in note
