"""Security settings of a cluster: TLS, SASL and client options from a file and the environment; secrets never printed.

The settings have the names Kafka's own tools use. Each can be set in a properties file (``KEY=VALUE`` lines, path in
JOINSTORM_KAFKA_CONFIG) or in the environment, as JOINSTORM_KAFKA_ and the name in capitals with underscores; the
environment wins. A password can be read from a file: append ``.file`` (``_FILE``) to its name and give the path.
"""

import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from streams.errors import UsageError
from streams.kafka.masking import hide

CONFIG_VARIABLE: Final = "JOINSTORM_KAFKA_CONFIG"
PREFIX: Final = "JOINSTORM_KAFKA_"

PROTOCOLS: Final = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
SETTINGS: Final[Mapping[str, str]] = {
    "security.protocol": f"One of {', '.join(PROTOCOLS)}.",
    "sasl.mechanism": f"One of {', '.join(MECHANISMS)}.",
    "sasl.username": "User to log in as.",
    "sasl.password": "The user's password.",
    "ssl.ca.location": "PEM file of the trusted authorities; the system's if not given.",
    "ssl.certificate.location": "PEM file of the client's certificate.",
    "ssl.key.location": "PEM file of the client's key.",
    "ssl.key.password": "Password of the key.",
    "ssl.check.hostname": "true (default) or false: whether the broker's certificate must match its host name.",
    "client.id": "Name the client gives the broker.",
    "request.timeout.ms": "Time limit for a request.",
    "retry.backoff.ms": "Wait before a retry.",
    "metadata.max.age.ms": "Time after which cluster metadata is refreshed.",
    "connections.max.idle.ms": "Time after which an idle connection is closed.",
}
SECRETS: Final = ("sasl.password", "ssl.key.password")
_OPTIONS: Final = ("client.id", *(name for name in SETTINGS if name.endswith(".ms")))
"""The settings passed on to the client libraries under the same name."""
_FILE: Final = ".file"
_NAME: Final = re.compile(r"[a-z]+(\.[a-z0-9]+)+")
_NAMES: Final = (*SETTINGS, *(secret + _FILE for secret in SECRETS))


@dataclass(frozen=True)
class Security:
    """Values by their names in ``SETTINGS``; an unencrypted, anonymous connection if empty.

    Raises:
        UsageError: A value is invalid, or needs another one that is not set; the text says which.
    """

    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Keep the secrets out of every log, and reject settings that would fail later, with a worse message."""
        for name in SECRETS:
            hide(self.values.get(name, ""))
        _allowed("security.protocol", self.protocol, PROTOCOLS)
        if self.uses_sasl:
            _allowed("sasl.mechanism", self.mechanism, MECHANISMS)
            for name in ("sasl.username", "sasl.password"):
                if name not in self.values:
                    raise UsageError(f"security.protocol={self.protocol} needs {name} ({variable(name)})")
        for name in _OPTIONS:
            if name.endswith(".ms") and not self.values.get(name, "0").isdigit():
                raise UsageError(f"{name}={self.values[name]!r}: expected whole milliseconds")

    @property
    def protocol(self) -> str:
        """The security protocol; TLS and SASL are never inferred from other settings."""
        return self.values.get("security.protocol", "PLAINTEXT").upper()

    @property
    def mechanism(self) -> str:
        """The SASL mechanism."""
        return self.values.get("sasl.mechanism", "SCRAM-SHA-512").upper()

    @property
    def uses_sasl(self) -> bool:
        """Whether the client logs in as a user."""
        return self.protocol.startswith("SASL")

    @property
    def uses_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.protocol.endswith("SSL")

    def context(self) -> ssl.SSLContext | None:
        """Return the TLS context with the trusted authorities and the client's certificate; None without TLS.

        Raises:
            UsageError: A certificate or key cannot be read.
        """
        if not self.uses_tls:
            return None
        get = self.values.get
        try:
            context = ssl.create_default_context(cafile=get("ssl.ca.location"))
            if certificate := get("ssl.certificate.location"):
                context.load_cert_chain(certificate, get("ssl.key.location"), get("ssl.key.password", ""))
        except OSError as error:
            names = [name for name in ("ssl.ca.location", "ssl.certificate.location", "ssl.key.location") if get(name)]
            files = ", ".join(f"{name}={get(name)}" for name in names)
            raise UsageError(f"cannot read the certificates ({files}): {error}") from None
        context.check_hostname = get("ssl.check.hostname", "true").lower() != "false"
        return context

    def for_python(self) -> dict[str, Any]:
        """Return keyword arguments for kafka-python and aiokafka; none for a plain connection."""
        arguments: dict[str, Any] = {}
        if self.protocol != PROTOCOLS[0]:
            arguments["security_protocol"] = self.protocol
        if self.uses_tls:
            arguments["ssl_context"] = self.context()
        if self.uses_sasl:
            arguments["sasl_mechanism"] = self.mechanism
            arguments["sasl_plain_username"] = self.values["sasl.username"]
            arguments["sasl_plain_password"] = self.values["sasl.password"]
        for name in _OPTIONS:
            if name in self.values:
                value = self.values[name]
                arguments[name.replace(".", "_")] = int(value) if name.endswith(".ms") else value
        return arguments

    def for_faust(self) -> dict[str, Any]:
        """Return the client options as settings of a Faust app, which has no setting for retry.backoff.ms."""
        get = self.values.get
        options: dict[str, Any] = {}
        if (name := get("client.id")) is not None:
            options["broker_client_id"] = name
        if (timeout := get("request.timeout.ms")) is not None:
            options["broker_request_timeout"] = int(timeout) / 1000
        for name in ("metadata.max.age.ms", "connections.max.idle.ms"):
            if (value := get(name)) is not None:
                for client in ("consumer", "producer"):
                    options[f"{client}_{name.replace('.', '_')}"] = int(value)
        return options

    def environment(self) -> dict[str, str]:
        """Return the variables that give a child process the same settings; passwords do not show in ``ps``."""
        return {variable(name): value for name, value in self.values.items()}

    def for_librdkafka(self) -> dict[str, str]:
        """Return the configuration of clients built on librdkafka."""
        config = {name: value for name, value in self.values.items() if name != "ssl.check.hostname"}
        if self.uses_tls and self.values.get("ssl.check.hostname", "true").lower() == "false":
            config["ssl.endpoint.identification.algorithm"] = "none"
        if self.uses_sasl:
            config["sasl.mechanism"] = self.mechanism
        return config


def security_from(environ: Mapping[str, str]) -> Security:
    """Return the settings of an environment and of the file it names.

    Raises:
        UsageError: The file cannot be read or has an unknown setting; the text names file and line.
    """
    values: dict[str, str] = {}
    if path := environ.get(CONFIG_VARIABLE):
        values.update(_read(Path(path)))
    for name in _NAMES:
        if (value := environ.get(variable(name))) is not None:
            values[name] = value
    return Security(dict(_without_files(values)))


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper().replace(".", "_")


def variables() -> frozenset[str]:
    """Return every environment variable that is read here."""
    return frozenset({CONFIG_VARIABLE, *map(variable, _NAMES)})


def _read(path: Path) -> Iterator[tuple[str, str]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UsageError(f"{CONFIG_VARIABLE}={path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{CONFIG_VARIABLE}={path}: expected text in UTF-8") from None
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith(("#", "!")):
            continue
        name, equals, value = line.partition("=")
        name = name.strip()
        if not equals or not _NAME.fullmatch(name):  # the line is not shown: it may hold a secret
            raise UsageError(f"{path}, line {number}: expected NAME=VALUE; known: {', '.join(_NAMES)}")
        if name not in _NAMES:
            raise UsageError(f"{path}, line {number}: unknown setting {name!r}; known: {', '.join(_NAMES)}")
        yield name, value.strip()


def _without_files(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the settings with secrets read from their files."""
    for name, value in values.items():
        if not name.endswith(_FILE):
            yield name, value
            continue
        try:
            yield name.removesuffix(_FILE), Path(value).read_text().strip()
        except OSError as error:
            raise UsageError(f"{name}={value}: {error.strerror}") from None


def _allowed(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:  # not shown: it may be a secret in the wrong place
        raise UsageError(f"{name}: expected one of {', '.join(known)}")
