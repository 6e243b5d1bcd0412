"""How to be let in by a cluster: TLS, SASL and client options, from a file and the environment; secrets stay unprinted.

One table of settings, named as Kafka's own tools name them. Each can stand in a properties file (``KEY=VALUE`` lines,
its path in JOINSTORM_KAFKA_CONFIG) and in the environment, spelled JOINSTORM_KAFKA_ and the name in capitals with
underscores; the environment wins. A password can be given as a file's path with ``.file`` (``_FILE``) behind its name.
"""

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from streams.errors import EnvironmentMissingError

CONFIG_VARIABLE: Final = "JOINSTORM_KAFKA_CONFIG"
PREFIX: Final = "JOINSTORM_KAFKA_"

PROTOCOLS: Final = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
SETTINGS: Final[Mapping[str, str]] = {
    "security.protocol": f"One of {', '.join(PROTOCOLS)}.",
    "sasl.mechanism": f"One of {', '.join(MECHANISMS)}.",
    "sasl.username": "User to log in as.",
    "sasl.password": "Their password.",
    "ssl.ca.location": "PEM file of the authorities to trust; the system's own if not given.",
    "ssl.certificate.location": "PEM file of the client's certificate.",
    "ssl.key.location": "PEM file of its key.",
    "ssl.key.password": "Password of the key.",
    "ssl.check.hostname": "true (default) or false: whether the broker's certificate must name its host.",
    "client.id": "How the client calls itself to the broker.",
    "request.timeout.ms": "How long the broker may take to answer a request.",
    "retry.backoff.ms": "How long to wait before trying again.",
    "metadata.max.age.ms": "How long knowledge of the cluster is trusted.",
    "connections.max.idle.ms": "How long an unused connection is kept.",
}
SECRETS: Final = ("sasl.password", "ssl.key.password")
_OPTIONS: Final = ("client.id", *(name for name in SETTINGS if name.endswith(".ms")))
"""Those that are handed through to the client libraries under the same name."""
_FILE: Final = ".file"
_NAMES: Final = (*SETTINGS, *(secret + _FILE for secret in SECRETS))


@dataclass(frozen=True)
class Security:
    """Settings by their names in ``SETTINGS``; an unencrypted, anonymous connection if empty.

    Raises:
        EnvironmentMissingError: A value is impossible, or one needs another that is not there; the text says which.
    """

    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Refuse what could only fail later, and less clearly."""
        _allowed("security.protocol", self.protocol, PROTOCOLS)
        if self.uses_sasl:
            _allowed("sasl.mechanism", self.mechanism, MECHANISMS)
            for name in ("sasl.username", "sasl.password"):
                if name not in self.values:
                    raise EnvironmentMissingError(f"security.protocol={self.protocol} needs {name} ({variable(name)})")
        for name in _OPTIONS:
            if name.endswith(".ms") and not self.values.get(name, "0").isdigit():
                raise EnvironmentMissingError(f"{name}={self.values[name]!r}: expected whole milliseconds")

    @property
    def protocol(self) -> str:
        """The security protocol; TLS or SASL is not guessed from other settings."""
        return self.values.get("security.protocol", "PLAINTEXT").upper()

    @property
    def mechanism(self) -> str:
        """The SASL mechanism."""
        return self.values.get("sasl.mechanism", "SCRAM-SHA-512").upper()

    @property
    def uses_sasl(self) -> bool:
        """Whether a user logs in."""
        return self.protocol.startswith("SASL")

    @property
    def uses_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.protocol.endswith("SSL")

    def context(self) -> ssl.SSLContext | None:
        """Return what verifies the broker and shows the client's certificate; None without TLS.

        Raises:
            EnvironmentMissingError: A certificate or key cannot be read.
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
            told = ", ".join(f"{name}={get(name)}" for name in names)
            raise EnvironmentMissingError(f"cannot read the certificates ({told}): {error}") from None
        context.check_hostname = get("ssl.check.hostname", "true").lower() != "false"
        return context

    def for_python(self) -> dict[str, Any]:
        """Return keyword arguments that kafka-python and aiokafka both take; nothing for a plain connection."""
        told: dict[str, Any] = {}
        if self.protocol != PROTOCOLS[0]:
            told["security_protocol"] = self.protocol
        if self.uses_tls:
            told["ssl_context"] = self.context()
        if self.uses_sasl:
            told["sasl_mechanism"] = self.mechanism
            told["sasl_plain_username"] = self.values["sasl.username"]
            told["sasl_plain_password"] = self.values["sasl.password"]
        for name in _OPTIONS:
            if name in self.values:
                value = self.values[name]
                told[name.replace(".", "_")] = int(value) if name.endswith(".ms") else value
        return told

    def for_faust(self) -> dict[str, Any]:
        """Return the client options as settings of a Faust app, which has no word for retry.backoff.ms."""
        get = self.values.get
        told: dict[str, Any] = {}
        if (name := get("client.id")) is not None:
            told["broker_client_id"] = name
        if (timeout := get("request.timeout.ms")) is not None:
            told["broker_request_timeout"] = int(timeout) / 1000
        for name in ("metadata.max.age.ms", "connections.max.idle.ms"):
            if (value := get(name)) is not None:
                for client in ("consumer", "producer"):
                    told[f"{client}_{name.replace('.', '_')}"] = int(value)
        return told

    def environment(self) -> dict[str, str]:
        """Return the variables that give a process started by us the same settings: passwords stay out of ``ps``."""
        return {variable(name): value for name, value in self.values.items()}

    def for_librdkafka(self) -> dict[str, str]:
        """Return the configuration of clients built on librdkafka."""
        told = {name: value for name, value in self.values.items() if name != "ssl.check.hostname"}
        if self.uses_tls and self.values.get("ssl.check.hostname", "true").lower() == "false":
            told["ssl.endpoint.identification.algorithm"] = "none"
        if self.uses_sasl:
            told["sasl.mechanism"] = self.mechanism
        return told


def security_from(environ: Mapping[str, str]) -> Security:
    """Return the settings of an environment and of the file it names.

    Raises:
        EnvironmentMissingError: The file cannot be read, or names a setting there is not; the text says file and line.
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
        lines = path.read_text().splitlines()
    except OSError as error:
        raise EnvironmentMissingError(f"{CONFIG_VARIABLE}={path}: {error.strerror}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith(("#", "!")):
            continue
        name, equals, value = line.partition("=")
        name = name.strip()
        if not equals or name not in _NAMES:
            raise EnvironmentMissingError(f"{path}, line {number}: {name!r} is no setting; known: {', '.join(_NAMES)}")
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
            raise EnvironmentMissingError(f"{name}={value}: {error.strerror}") from None


def _allowed(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise EnvironmentMissingError(f"{name}={value!r}: expected one of {', '.join(known)}")
