from __future__ import annotations

import threading
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from job_orchestra.domain.errors import Invalid
from job_orchestra.website.cookie_keys import read_cookie_keys


def test_the_first_website_makes_them_for_itself_alone(tmp_path: Path) -> None:
    file = tmp_path / "website.keys"
    encrypted = read_cookie_keys(file).encrypt("secret")
    assert "secret" not in encrypted
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]
    assert read_cookie_keys(file).decrypt(encrypted) == "secret"


def test_of_websites_that_start_at_once_all_have_the_same(tmp_path: Path) -> None:
    file, start = tmp_path / "website.keys", threading.Barrier(8)
    encrypted: list[str] = []

    def begin() -> None:
        start.wait()
        encrypted.append(read_cookie_keys(file).encrypt("secret"))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keys = read_cookie_keys(file)
    assert [keys.decrypt(one) for one in encrypted] == ["secret"] * 8


def test_a_new_key_comes_before_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "website.keys"
    before = read_cookie_keys(file).encrypt("secret")
    old, new = file.read_text(), Fernet.generate_key().decode()
    file.write_text(f"# since today\n{new}\n\n{old}")
    both = read_cookie_keys(file)
    after = both.encrypt("secret")
    assert both.decrypt(before) == "secret"
    file.write_text(new)
    assert read_cookie_keys(file).decrypt(before) is None
    assert read_cookie_keys(file).decrypt(after) == "secret"


@pytest.mark.parametrize("text", ["", "f" * 64, "gAAAA", "\u00e9", "\x00"])
def test_what_was_not_encrypted_with_them_is_nothing(tmp_path: Path, text: str) -> None:
    assert read_cookie_keys(tmp_path / "website.keys").decrypt(text) is None


@pytest.mark.parametrize(
    ("content", "words"), [("", "has no key"), ("# nothing\n", "has no key"), ("short\n", "no key: 32 bytes")]
)
def test_a_file_without_keys_is_told(tmp_path: Path, content: str, words: str) -> None:
    file = tmp_path / "website.keys"
    file.write_text(content)
    with pytest.raises(Invalid, match=words):
        read_cookie_keys(file)


def test_a_place_where_none_can_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no such file or directory"):
        read_cookie_keys(tmp_path / "missing" / "website.keys")
    with pytest.raises(Invalid, match="is a directory"):
        read_cookie_keys(tmp_path)
