"""Settings: what is missing or makes no sense is said by name, before anything starts."""

import stat
from pathlib import Path

import pytest

from webapp.config import SettingError, limiter_url, log_format, read, refuse_public, sqlalchemy_url

PRODUCTION = {
    "DATABASE_URL": "postgres://exports@db/exports",
    "SOURCE_DATABASE_URL": "postgresql://reader@replica/loyalty",
    "REDIS_URL": "rediss://redis:6379/0",
    "STORAGE_URL": "s3://bucket/exports",
    "SECRET_KEY": "Wq7-bT4_xZ1-mN8_pL3-cV6_hK9-dF2_gJ5-rS0",
    "CREDENTIAL_KEYS": "dGhlIGtleSBvZiB0aGUgdGVzdHM6IDMyIGJ5dGVzLi4=",
    "BASE_URL": "https://exports.maple.example",
    "MAIL_URL": "smtps://us:word@mail.maple.example",
}


def test_a_deployment_is_read_whole() -> None:
    settings = read(PRODUCTION)
    assert not settings.embedded
    assert settings.source_database_url == PRODUCTION["SOURCE_DATABASE_URL"]
    assert settings.flask()["SESSION_COOKIE_NAME"] == "__Host-exports_session"
    assert settings.flask()["SESSION_COOKIE_SECURE"] is True


@pytest.mark.parametrize("name", sorted(PRODUCTION.keys() - {"DATABASE_URL"}))
def test_a_deployment_that_lacks_a_setting_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(SettingError, match=name):
        read({key: value for key, value in PRODUCTION.items() if key != name})


@pytest.mark.parametrize("name", ["SECRET_KEY", "METRICS_TOKEN"])
@pytest.mark.parametrize(
    "value",
    [
        "changeme",
        "Wq7-bT4_xZ1",
        "k" * 40,
        "changeme-abcdefghij-1234567890-klmnop",
        "Replace-this-by-a-random-text-012345",
    ],
)
def test_a_secret_that_is_short_or_stands_in_examples_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"{name} must be set"):
        read({**PRODUCTION, name: value})


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ({"BIND": "0.0.0.0"}, "BIND"),  # noqa: S104 - it is refused
        ({"BIND": "::"}, "BIND"),
        ({"BIND": "192.168.7.4"}, "BIND"),
        ({"BIND": "exports.example"}, "BIND"),
        ({"DYNO": "web.1"}, "DATABASE_URL"),
    ],
)
def test_the_embedded_installation_is_reached_from_its_own_machine_alone(told: dict[str, str], name: str) -> None:
    with pytest.raises(SettingError, match=f"^{name} must be"):
        read({"EXPORTS_HOME": "/dev/null/instance", **told})
    with pytest.raises(SettingError, match="BIND"):
        refuse_public([("127.0.0.1", 5000), ("0.0.0.0", 5000)])  # noqa: S104 - it is refused
    refuse_public([("127.0.0.1", 5000), ("::1", 5000), ("localhost", 5000), "/run/exports.sock"])


def test_lines_of_the_log_are_json_in_production_unless_asked_otherwise() -> None:
    assert log_format(PRODUCTION) == "json"
    assert log_format({}) == "text"
    assert log_format({**PRODUCTION, "LOG_FORMAT": "text"}) == "text"
    with pytest.raises(SettingError, match="LOG_FORMAT"):
        read({**PRODUCTION, "LOG_FORMAT": "xml"})


def test_every_secret_is_known_by_its_value_and_none_is_shown() -> None:
    settings = read(
        {
            **PRODUCTION,
            "REDIS_URL": "rediss://:cache-word@redis/0",
            "METRICS_TOKEN": PRODUCTION["SECRET_KEY"][::-1],
        }
    )
    assert {"cache-word", "word", settings.secret_key, settings.metrics_token} <= set(settings.secrets)
    assert settings.metrics_token not in repr(settings)


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "ten", "٣", "1_000", "86401"])
def test_a_number_that_makes_no_sense_is_refused_by_its_name(value: str) -> None:
    with pytest.raises(SettingError, match="SOURCE_STATEMENT_TIMEOUT"):
        read({**PRODUCTION, "SOURCE_STATEMENT_TIMEOUT": value})


def test_a_database_that_is_not_postgresql_is_refused() -> None:
    with pytest.raises(SettingError, match="DATABASE_URL"):
        sqlalchemy_url("mysql://localhost/exports")


def test_addresses_are_spelt_as_each_library_wants_them() -> None:
    assert sqlalchemy_url("postgres://a@b/c") == "postgresql+psycopg://a@b/c"
    assert limiter_url("unix:///tmp/redis.sock?db=0") == "redis+unix:///tmp/redis.sock?db=0"
    assert limiter_url("redis://localhost/0") == "redis://localhost/0"


def test_the_embedded_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    from webapp.config import _kept_secret

    first = _kept_secret(tmp_path / "new" / "secret-key")
    assert len(first) > 40
    assert _kept_secret(tmp_path / "new" / "secret-key") == first
    assert stat.S_IMODE((tmp_path / "new" / "secret-key").stat().st_mode) == 0o600


@pytest.mark.parametrize("value", ["changeme", "k" * 44, "a" * 43 + "=", f"{PRODUCTION['CREDENTIAL_KEYS']},short", ","])
def test_keys_that_are_none_are_refused(value: str) -> None:
    with pytest.raises(SettingError, match="CREDENTIAL_KEYS"):
        read({**PRODUCTION, "CREDENTIAL_KEYS": value})


def test_several_keys_are_read_in_their_order_and_never_shown() -> None:
    keys = ["dGhlIGtleSBvZiB0aGUgdGVzdHM6IDMyIGJ5dGVzLi4=", "YW5vdGhlciBrZXkgb2YgdGhlIHRlc3RzLCAzMiBieXQ="]
    settings = read({**PRODUCTION, "CREDENTIAL_KEYS": ", ".join(keys)})
    assert settings.credential_keys == tuple(keys)
    assert not any(one in repr(settings) for one in keys)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EXPORTS_ALLOWED_NETWORKS", "10.0.0.0/33"),
        ("EXPORTS_ALLOWED_NETWORKS", "example.com"),
        ("EXPORTS_ALLOWED_NETWORKS", "127.0.0.1:0"),
        ("EXPORTS_ALLOWED_PORTS", "ssh"),
        ("EXPORTS_ALLOWED_PORTS", "22-"),
        ("EXPORTS_ALLOWED_PORTS", "70000"),
    ],
)
def test_networks_and_ports_that_make_no_sense_are_refused_by_their_setting(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=name):
        read({**PRODUCTION, name: value})


@pytest.mark.parametrize(
    "value", ["/srv/files", "file://relative", "file:///", "http://store/files", "s3:///prefix", "gs://"]
)
def test_a_store_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(SettingError, match="STORAGE_URL"):
        read({**PRODUCTION, "STORAGE_URL": value})


@pytest.mark.parametrize("value", ["file:///srv/files", "s3://bucket", "gs://bucket/a", "az://container/a"])
def test_each_kind_of_store_is_taken(value: str) -> None:
    assert read({**PRODUCTION, "STORAGE_URL": value}).storage_url == value


@pytest.mark.parametrize(
    "value", ["exports.example", "ftp://exports.example", "https://", "https://a@b", "https://a/b"]
)
def test_an_address_that_links_cannot_begin_with_is_refused(value: str) -> None:
    with pytest.raises(SettingError, match="BASE_URL"):
        read({**PRODUCTION, "BASE_URL": value})


def test_mails_come_from_our_own_host_or_from_whom_is_named() -> None:
    assert read(PRODUCTION).mail_from == "exports@exports.maple.example"
    assert read({**PRODUCTION, "MAIL_FROM": "data@maple.example"}).mail_from == "data@maple.example"
    for value in ("data", "Data <data@maple.example>", "data@maple.example\nBcc: a@b"):
        with pytest.raises(SettingError, match="MAIL_FROM"):
            read({**PRODUCTION, "MAIL_FROM": value})
