"""Addresses of MongoDB as users write them, and the choice of an adapter by the scheme."""

from __future__ import annotations

import pytest

from job_orchestra.composition.databases import open_administration, open_storage
from job_orchestra.domain.errors import Invalid
from job_orchestra.storage.mongo import parse_mongo_url


def test_what_a_url_says() -> None:
    url = parse_mongo_url("mongodb://me:p%40ss%2Fw@one.example:27018,two.example/jobs?replicaSet=rs0&authSource=admin")
    assert (url.user, url.password, url.database) == ("me", "p@ss/w", "jobs")
    assert url.hosts == "one.example:27018,two.example"
    assert url.options == (("replicaSet", "rs0"), ("authSource", "admin"))
    assert parse_mongo_url("mongodb+srv://cluster.example/jobs").scheme == "mongodb+srv"
    assert parse_mongo_url("mongodb://[::1]:27017/jobs").hosts == "[::1]:27017"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mongodb://", "names no host"),
        ("mongodb://host", "names no database"),
        ("mongodb://host/", "names no database"),
        ("mongodb:///jobs", "names no host"),
        ("mongodb://host:port/x", "not a number up to 65535"),
        ("mongodb://u:secret@host:99999/x", "not a number up to 65535"),
        ("mongodb://u:secret@host,/x", "names no host"),
        ("mongodb://u:se@cret@host/x", "%XX"),
        ("mongodb://u:se/secret@host/x", "%XX"),
        ("mongodb://u:se:secret@host/x", "%XX"),
        ("mongodb://u:secret%zz@host/x", "%XX"),
        ("mongodb://:secret@host/x", "%XX"),
        ("mongodb://u:sec#ret@host/x", "%XX"),
        ("mongodb://u:secret@host/a.b", "no dot"),
        ("mongodb://u:secret@host/" + "x" * 64, "at most 63 bytes"),
        ("mongodb://u:secret@host/x?replicaSet", "options"),
        ("mongodb://u:secret@host/x?tls=maybe", "the option 'tls'"),
        ("mongodb://u:secret@host/x?replicaset=a&colour=secret", "the option 'colour'"),
        ("mongodb://u:secret@host/x?compressors=secret", "the option 'compressors'"),
        ("mongodb://u:secret@host/x?tls=true&tlsCAFile=/secret", "the option 'tlsCAFile' with a file that"),
        ("mongodb://u:secret@one,two/x?directConnection=true", "cannot be used"),
        ("mongodb+srv://u:secret@host:27017/x", "a port"),
        ("mongodb+srv://u:secret@cluster.example,other.example/x", "several hosts"),
    ],
)
def test_mistakes_say_what_would_be_right_and_no_password(url: str, told: str) -> None:
    for refuse in (open_storage, open_administration):
        with pytest.raises(Invalid) as caught:
            refuse(url)
        (mistake,) = caught.value.mistakes
        assert mistake.place == "database.url"
        assert told in mistake.message
        assert "secret" not in str(caught.value)


def test_an_unknown_scheme_is_refused_with_all_that_are_known() -> None:
    for refuse in (open_storage, open_administration):
        with pytest.raises(Invalid) as caught:
            refuse("Oracle://me:secret@host/x")
        told = str(caught.value)
        assert "the scheme 'Oracle'" in told
        for known in ("sqlite", "postgresql", "mongodb", "mongodb+srv"):
            assert repr(known) in told
        assert "secret" not in told
    with pytest.raises(Invalid, match="is no URL"):
        open_storage("orchestra.db")


def test_a_url_never_shows_its_password() -> None:
    url = parse_mongo_url("mongodb://me:secret@host:27017/jobs?tlsCertificateKeyFilePassword=secret")
    assert "secret" not in f"{url} {url!r}"
    assert str(url) == "mongodb://me@host:27017/jobs"
