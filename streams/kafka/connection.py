"""How to reach Kafka, described once and translated for each client library."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from streams.kafka.security import PREFIX, Security, security_from

DEFAULT_BOOTSTRAP: Final = "127.0.0.1:9092"
SERVERS_VARIABLE: Final = "JOINSTORM_BOOTSTRAP_SERVERS"


@dataclass(frozen=True)
class Connection:
    """The brokers' addresses and the security settings.

    Args:
        bootstrap_servers: List of ``host:port``, comma separated.
        security: TLS, SASL and client options; secrets are never printed.
    """

    bootstrap_servers: str = DEFAULT_BOOTSTRAP
    security: Security = field(default_factory=Security, repr=False)

    def servers(self) -> list[str]:
        """Return the bootstrap servers as a list."""
        return [part.strip() for part in self.bootstrap_servers.split(",") if part.strip()]

    def who(self) -> str:
        """Return the client's identity as the broker sees it, for messages."""
        return f"user {self.security.values['sasl.username']!r}" if self.security.uses_sasl else "this client"

    def for_kafka_python(self) -> dict[str, Any]:
        """Return keyword arguments for any kafka-python client."""
        return {"bootstrap_servers": self.servers(), **self.security.for_python()}

    def for_aiokafka(self) -> dict[str, Any]:
        """Return keyword arguments for any aiokafka client."""
        return {"bootstrap_servers": self.servers(), **self.security.for_python()}

    def for_librdkafka(self) -> dict[str, str]:
        """Return the configuration of any client built on librdkafka."""
        return {"bootstrap.servers": ",".join(self.servers()), **self.security.for_librdkafka()}

    def for_faust(self) -> dict[str, Any]:
        """Return the broker settings of a Faust app, credentials included; the caller sets the URLs.

        Faust expects credentials as objects of its own library, which is imported only here.
        """
        if self.security.uses_sasl:
            import faust  # noqa: PLC0415 - slow to import, and only the engine faust needs it

            given = self.security.values
            credentials = faust.SASLCredentials(
                username=given["sasl.username"],
                password=given["sasl.password"],
                mechanism=self.security.mechanism,
                ssl_context=self.security.context(),
            )
            return {"broker_credentials": credentials, **self.security.for_faust()}
        tls = {"ssl_context": self.security.context()} if self.security.uses_tls else {}
        return {**tls, **self.security.for_faust()}

    def environ(self, base: Mapping[str, str]) -> dict[str, str]:
        """Return the environment for a child process that uses this connection.

        Args:
            base: The parent's environment; its Kafka settings are replaced.
        """
        kept = {name: value for name, value in base.items() if not name.startswith(PREFIX)}
        return {**kept, SERVERS_VARIABLE: self.bootstrap_servers, **self.security.environment()}


def connection_from(bootstrap_servers: str, environ: Mapping[str, str]) -> Connection:
    """Return a connection with the security settings of an environment.

    Raises:
        UsageError: A setting is invalid; the text names it and what is allowed.
    """
    return Connection(bootstrap_servers, security_from(environ))
