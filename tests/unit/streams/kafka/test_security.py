"""Settings of a secured cluster: from file and environment, checked, translated, and never printed."""

from pathlib import Path

import msgspec
import pytest

from streams.errors import UsageError
from streams.kafka.connection import Connection, connection_from
from streams.kafka.security import SETTINGS, Security, security_from, variable

LOGIN = {
    "JOINSTORM_KAFKA_SECURITY_PROTOCOL": "sasl_ssl",
    "JOINSTORM_KAFKA_SASL_MECHANISM": "scram-sha-256",
    "JOINSTORM_KAFKA_SASL_USERNAME": "alice",
    "JOINSTORM_KAFKA_SASL_PASSWORD": "open sesame",
}


def test_nothing_set_is_a_plain_connection() -> None:
    """Without settings the clients are given the address alone."""
    connection = connection_from("a:1, b:2", {})
    assert connection.for_kafka_python() == {"bootstrap_servers": ["a:1", "b:2"]}
    assert connection.for_aiokafka() == connection.for_kafka_python()
    assert connection.for_librdkafka() == {"bootstrap.servers": "a:1,b:2"}
    assert connection.for_faust() == {}


def test_a_login_reaches_every_client() -> None:
    """User, password, mechanism and TLS are handed to every client library as it wants them."""
    connection = connection_from("a:1", LOGIN)
    python = connection.for_kafka_python()
    context = python.pop("ssl_context")
    assert context.check_hostname
    assert python == {
        "bootstrap_servers": ["a:1"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-256",
        "sasl_plain_username": "alice",
        "sasl_plain_password": "open sesame",
    }
    rdkafka = connection.for_librdkafka()
    assert (rdkafka["sasl.username"], rdkafka["sasl.mechanism"]) == ("alice", "SCRAM-SHA-256")
    credentials = connection.for_faust()["broker_credentials"]
    assert (credentials.username, credentials.protocol.value, credentials.mechanism.value) == (
        "alice", "SASL_SSL", "SCRAM-SHA-256",
    )  # fmt: skip


def test_client_options_reach_every_client() -> None:
    """Options are translated to each library's names and units, with a login or without."""
    options = {"client.id": "joinstorm", "request.timeout.ms": "20000", "metadata.max.age.ms": "9000"}
    connection = Connection("a:1", Security(options))
    assert connection.for_aiokafka()["metadata_max_age_ms"] == 9000
    assert connection.for_librdkafka()["request.timeout.ms"] == "20000"
    faust = connection.for_faust()
    assert (faust["broker_client_id"], faust["broker_request_timeout"]) == ("joinstorm", 20.0)
    assert faust["consumer_metadata_max_age_ms"] == faust["producer_metadata_max_age_ms"] == 9000


def test_a_process_of_ours_is_told_the_same_and_nothing_else() -> None:
    """A child's environment has this connection's settings; those of another broker are gone from it."""
    ours = connection_from("a:1", LOGIN)
    environ = ours.environ({"PATH": "/bin", "JOINSTORM_KAFKA_CONFIG": "/else", "JOINSTORM_KAFKA_CLIENT_ID": "other"})
    assert connection_from(environ["JOINSTORM_BOOTSTRAP_SERVERS"], environ) == ours
    assert environ["PATH"] == "/bin"
    assert not [name for name in Connection("a:1").environ(LOGIN) if name.startswith("JOINSTORM_KAFKA_")]


def test_a_connection_survives_the_way_to_an_engine_of_its_own_environment() -> None:
    """A child gets its settings on standard input, as JSON."""
    ours = connection_from("a:1", LOGIN)
    assert msgspec.json.decode(msgspec.json.encode(ours), type=Connection) == ours


def test_secrets_are_not_printed() -> None:
    """No representation of a connection or its settings shows a password or user."""
    connection = connection_from("a:1", LOGIN)
    for shown in (repr(connection), str(connection), repr(connection.security), f"{connection}"):
        assert "sesame" not in shown


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """A properties file has the settings, variables override single ones, a password can be in its own file."""
    (tmp_path / "password").write_text("from a file\n")
    config = tmp_path / "client.properties"
    config.write_text(
        f"# ours\nsecurity.protocol = SASL_PLAINTEXT\nsasl.username=bob\nsasl.password.file={tmp_path / 'password'}\n"
        "request.timeout.ms=5000\nclient.id=joinstorm\n"
    )
    environ = {"JOINSTORM_KAFKA_CONFIG": str(config), "JOINSTORM_KAFKA_SASL_USERNAME": "carol"}
    found = security_from(environ).for_python()
    assert (found["sasl_plain_username"], found["sasl_plain_password"]) == ("carol", "from a file")
    assert (found["sasl_mechanism"], found["request_timeout_ms"], found["client_id"]) == (
        "SCRAM-SHA-512",
        5000,
        "joinstorm",
    )


def test_the_host_name_check_can_be_turned_off() -> None:
    """ssl.check.hostname=false is for test clusters, for every client."""
    security = Security({"security.protocol": "SSL", "ssl.check.hostname": "false"})
    context = security.context()
    assert context is not None
    assert not context.check_hostname
    assert security.for_librdkafka()["ssl.endpoint.identification.algorithm"] == "none"
    assert Connection("a:1", security).for_faust()["ssl_context"] is not None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"security.protocol": "TLS"}, "security.protocol: expected one of PLAINTEXT, SSL"),
        ({"security.protocol": "SASL_SSL"}, r"needs sasl.username \(JOINSTORM_KAFKA_SASL_USERNAME\)"),
        ({"security.protocol": "SASL_SSL", "sasl.mechanism": "GSSAPI"}, "expected one of PLAIN, SCRAM-SHA-256"),
        ({"request.timeout.ms": "5s"}, "expected whole milliseconds"),
    ],
)
def test_invalid_settings_are_named(values: dict[str, str], message: str) -> None:
    """The error for a wrong value lists what is allowed; for a missing one it names the variable."""
    with pytest.raises(UsageError, match=message):
        Security(values)


def test_unusable_files_are_named(tmp_path: Path) -> None:
    """A missing file, an unknown setting (with its line), an invalid certificate."""
    with pytest.raises(UsageError, match=r"JOINSTORM_KAFKA_CONFIG=.*none.*No such file"):
        security_from({"JOINSTORM_KAFKA_CONFIG": str(tmp_path / "none")})
    config = tmp_path / "client.properties"
    config.write_text("client.id=a\nsasl.pasword=b\n")
    with pytest.raises(UsageError, match=r"line 2: unknown setting 'sasl.pasword'; known: security.protocol"):
        security_from({"JOINSTORM_KAFKA_CONFIG": str(config)})
    config.write_bytes(b"client.id=\xff\n")
    with pytest.raises(UsageError, match=r"client.properties: expected text in UTF-8"):
        security_from({"JOINSTORM_KAFKA_CONFIG": str(config)})
    with pytest.raises(UsageError, match=r"sasl.password.file=.*none: No such file"):
        security_from({variable("sasl.password.file"): str(tmp_path / "none")})
    config.write_text("no certificate")
    security = Security({"security.protocol": "SSL", "ssl.ca.location": str(config)})
    with pytest.raises(UsageError, match="cannot read the certificates"):
        security.context()


def test_every_setting_has_a_variable_and_a_description() -> None:
    """The table is complete: what it names can be set, and docs/cluster.md speaks of it."""
    page = (Path(__file__).parents[4] / "docs" / "cluster.md").read_text()
    assert all(means and f"`{name}`" in page for name, means in SETTINGS.items())
    assert variable("ssl.ca.location") == "JOINSTORM_KAFKA_SSL_CA_LOCATION"


@pytest.mark.parametrize("line", ["open sesame", "b3BlbiBzZXNhbWU=", "open sesame = 1"])
def test_a_line_that_is_no_setting_is_not_shown(tmp_path: Path, line: str) -> None:
    """It may be a password that has slipped into the next line: only its number is named."""
    config = tmp_path / "client.properties"
    config.write_text(f"client.id=a\n{line}\n")
    with pytest.raises(UsageError, match="line 2: expected NAME=VALUE") as caught:
        security_from({"JOINSTORM_KAFKA_CONFIG": str(config)})
    assert line.split("=", maxsplit=1)[0].strip() not in str(caught.value)


def test_a_secret_in_the_wrong_place_is_not_shown() -> None:
    """A setting that has only a few values says which, and not what it was given."""
    with pytest.raises(UsageError) as raised:
        security_from({variable("security.protocol"): "S3cret"})
    assert "s3cret" not in str(raised.value).lower()
