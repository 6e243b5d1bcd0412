"""How to reach Kafka, spelled once and translated for each client library."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from streams.kafka.security import PREFIX, Security, security_from

DEFAULT_BOOTSTRAP: Final = "127.0.0.1:9092"
SERVERS_VARIABLE: Final = "JOINSTORM_BOOTSTRAP_SERVERS"


@dataclass(frozen=True)
class Connection:
    """Where the brokers are, and how to be let in.

    Args:
        bootstrap_servers: ``host:port`` list, comma separated.
        security: TLS, SASL and client options; its secrets are never printed.
    """

    bootstrap_servers: str = DEFAULT_BOOTSTRAP
    security: Security = field(default_factory=Security, repr=False)

    def servers(self) -> list[str]:
        """Return the bootstrap servers as a list."""
        return [part.strip() for part in self.bootstrap_servers.split(",") if part.strip()]

    def who(self) -> str:
        """Return whom the broker takes us for, in words."""
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
        """Return the settings of a Faust app that concern its broker, credentials and all; the URLs are its own.

        Faust takes credentials as objects of its own library, which is imported here and not before.
        """
        if self.security.uses_sasl:
            import faust  # noqa: PLC0415 - heavy, and only its engine needs it

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
        """Return an environment in which a process of ours reaches this broker and no other the same way.

        Args:
            base: The environment of whoever starts it; what it says of Kafka is replaced.
        """
        kept = {name: value for name, value in base.items() if not name.startswith(PREFIX)}
        return {**kept, SERVERS_VARIABLE: self.bootstrap_servers, **self.security.environment()}


def connection_from(bootstrap_servers: str, environ: Mapping[str, str]) -> Connection:
    """Return a connection with the security settings of an environment.

    Raises:
        EnvironmentMissingError: A setting is impossible; the text says which and what is allowed.
    """
    return Connection(bootstrap_servers, security_from(environ))
