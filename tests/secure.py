"""A secured broker for tests: TLS, SCRAM and permissions on one listener, everything allowed on another."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ResourcePattern,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from joinstorm.embedded.broker import EmbeddedBroker
from streams.contract.runinfo import RunInfo
from streams.errors import EnvironmentMissingError
from streams.kafka.admin import open_admin
from streams.kafka.connection import Connection
from streams.kafka.security import Security
from tests.conftest import required

USERS = {"alice": "open sesame", "mallory": "let me in"}
"""Alice may do everything, Mallory what ``Cluster.allow`` says."""
READ, WRITE = ACLOperation.READ, ACLOperation.WRITE
GROUP = ("group", READ)

SECURED = """\
listeners=BROKER://127.0.0.1:{{port}},CONTROLLER://127.0.0.1:{{controller}},SECURE://127.0.0.1:{{extra}}
advertised.listeners=BROKER://127.0.0.1:{{port}},SECURE://127.0.0.1:{{extra}}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.secure.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:alice
"""


@dataclass(frozen=True)
class Cluster:
    """A secured broker: how to reach it inside, and its address for clients that have to log in."""

    inside: Connection
    address: str
    authority: Path

    def login(self, user: str = "alice", password: str | None = None, **changes: str) -> Connection:
        """Return a connection that logs in."""
        values = {
            "security.protocol": "SASL_SSL",
            "sasl.username": user,
            "sasl.password": password or USERS[user],
            "ssl.ca.location": str(self.authority),
            **{name.replace("_", "."): value for name, value in changes.items()},
        }
        return Connection(self.address, Security(values))

    def user(self, info: RunInfo, *without: tuple[str, ACLOperation]) -> Connection:
        """Return a connection of a new user who may do with a run what an engine does, but for these operations."""
        name = f"user-{info.run}"
        word = UserScramCredentialUpsertion(name, ScramMechanism.SCRAM_SHA_512, "let me in")
        with contextlib.closing(open_admin(self.inside)) as admin:
            admin.alter_user_scram_credentials([word])
        lacking = {(info.topics[base], operation) for base, operation in without if base in info.topics}
        wanted = [(ResourceType.TOPIC, topic, one) for topic in info.topics.values() for one in (READ, WRITE)]
        rights = [right for right in wanted if right[1:] not in lacking]
        if GROUP not in without:
            rights.append((ResourceType.GROUP, f"joinstorm-faust-{info.run}", READ))
        self.allow(name, *rights)
        return self.login(name, "let me in")

    def allow(self, user: str, *rights: tuple[ResourceType, str, ACLOperation]) -> None:
        """Let a user do these operations on things of these names."""
        with contextlib.closing(open_admin(self.inside)) as admin:
            admin.create_acls([
                ACL(f"User:{user}", "*", operation, ACLPermissionType.ALLOW, ResourcePattern(kind, name))
                for kind, name, operation in rights
            ])  # fmt: skip


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Make a key with a self-signed certificate for this machine; return both files."""
    key, cert = folder / f"{name}.key", folder / f"{name}.pem"
    subject = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "30"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*made, *subject], check=True, capture_output=True)
    return key, cert


@contextlib.contextmanager
def secured(folder: Path) -> Iterator[Cluster]:
    """Run a secured broker; skip the test where it cannot be."""
    if shutil.which("openssl") is None:
        if required():
            pytest.fail("openssl is not installed")
        pytest.skip("openssl makes the certificates; install it to run this")
    key, cert = certificate(folder, "broker")
    keystore = folder / "keystore.pem"
    keystore.write_text(key.read_text() + cert.read_text())
    broker = EmbeddedBroker(settings=SECURED.format(keystore=keystore))
    try:
        broker.__enter__()
    except EnvironmentMissingError as error:
        if required():
            raise
        pytest.skip(str(error))
    try:
        with contextlib.closing(open_admin(broker.connection)) as admin:
            admin.alter_user_scram_credentials(
                [UserScramCredentialUpsertion(user, ScramMechanism.SCRAM_SHA_512, word) for user, word in USERS.items()]
            )
        yield Cluster(broker.connection, f"127.0.0.1:{broker.extra_port}", cert)
    finally:
        broker.close()
