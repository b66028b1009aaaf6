"""Real Apache Kafka from its own jars, for tests and measurements."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import uuid4

from deploy.local.broker import describe
from deploy.local.process import Child, free_port, spawn
from deploy.local.waiting import until_usable
from shared.kafka_settings import plain

VERSION = "4.1.0"
START_DEADLINE_S = 60
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>dev.assay</groupId><artifactId>kafka-here</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
    <version>{VERSION}</version>
  </dependency><dependency>
    <groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version>
  </dependency></dependencies>
</project>
"""


class KafkaJars:
    """One Apache Kafka process in KRaft mode, on its own folder and port, restartable.

    Clients that come by a proxy are sent back to it: for each port in `proxies`, the proxy's own,
    there is a listener that advertises it, on the port in `behind` at the same place. For each
    security protocol in `doors` there is a listener with these settings; `users` log in by SCRAM.
    """

    def __init__(  # noqa: PLR0913 - a broker has many sides
        self,
        folder: Path,
        *,
        proxies: Sequence[int] = (),
        node: int = 1,
        controllers: Sequence[int] = (),
        doors: Mapping[str, Mapping[str, str]] | None = None,
        settings: Mapping[str, str] | None = None,
        users: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = folder
        self._jars = resolve_jars()
        self.port = free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.behind = [free_port() for _ in proxies]
        self.child: Child | None = None
        self._node = node
        self._controllers = list(controllers) or [free_port()]
        self._proxies = list(proxies)
        self._doors = dict(doors or {})
        self.doors = {protocol: free_port() for protocol in self._doors}
        self._settings = dict(settings or {})
        self._users = dict(users or {})
        self._configure()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.begin()
        self.wait()

    def begin(self) -> None:
        """Start it; a member of a cluster does not answer before the others are there."""
        self.child = spawn(
            "kafka",
            self._java("kafka.Kafka", self._folder / "server.properties"),
            self._folder / "kafka.log",
        )

    def wait(self) -> None:
        """Wait until it answers."""
        assert self.child is not None  # noqa: S101 - begun before
        asyncio.run(
            until_usable(self.child, lambda: describe(plain(self.bootstrap)), START_DEADLINE_S)
        )

    def stop(self) -> None:
        """Stop it in order."""
        if self.child is not None:
            self.child.stop(timeout_s=20)

    def kill(self) -> None:
        """kill -9."""
        if self.child is not None:
            self.child.kill()

    def _configure(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        properties = self._folder / "server.properties"
        brokers = len(self._controllers)
        quorum = [f"{at + 1}@127.0.0.1:{port}" for at, port in enumerate(self._controllers)]
        ways = {"PLAINTEXT": (self.port, self.port)} | {
            f"PROXY{at}": (behind, proxy)
            for at, (behind, proxy) in enumerate(zip(self.behind, self._proxies, strict=True))
        }
        ways |= {protocol: (port, port) for protocol, port in self.doors.items()}
        listeners = [f"{name}://127.0.0.1:{port}" for name, (port, _) in ways.items()]
        controller = f"CONTROLLER://127.0.0.1:{self._controllers[self._node - 1]}"
        settings = {
            "process.roles": "broker,controller",
            "node.id": str(self._node),
            "controller.quorum.voters": ",".join(quorum),
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "listeners": ",".join([*listeners, controller]),
            "advertised.listeners": ",".join(
                f"{name}://127.0.0.1:{seen}" for name, (_, seen) in ways.items()
            ),
            "listener.security.protocol.map": ",".join(
                f"{name}:{name if name in self.doors else 'PLAINTEXT'}"
                for name in (*ways, "CONTROLLER")
            ),
            "log.dirs": str(self._folder / "data"),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": str(brokers),
            "offsets.topic.num.partitions": "3",
            "transaction.state.log.replication.factor": str(brokers),
            "transaction.state.log.min.isr": str(max(1, brokers - 1)),
            "group.initial.rebalance.delay.ms": "0",
            "message.max.bytes": str(2 * 1024 * 1024),
            "log.cleaner.dedupe.buffer.size": str(4 * 1024 * 1024),
        }
        for protocol, given in self._doors.items():
            name = f"listener.name.{protocol.lower()}."
            settings |= {f"{name}{setting}": value for setting, value in given.items()}
        settings |= self._settings
        properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        subprocess.run(
            self._java(
                "kafka.tools.StorageTool",
                "format",
                "-t",
                "MkU3OEVBNTcwNTJENDM2Qk",
                "-c",
                properties,
                *self._scram(),
            ),
            check=True,
            capture_output=True,
        )

    def _scram(self) -> list[str]:
        found: list[str] = []
        for name, password in self._users.items():
            found += ["--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]"]
        return found

    def _java(self, main: str, *arguments: str | Path) -> list[str | Path]:
        java = shutil.which("java")
        assert java is not None  # noqa: S101 - `resolve_jars` has run Maven with it
        return [
            java,
            "-Xmx512m",
            "-Xms128m",
            "-XX:TieredStopAtLevel=1" if main.endswith("Tool") else "-XX:+UseG1GC",
            "-cp",
            f"{self._jars}/*",
            main,
            *arguments,
        ]


def resolve_jars() -> Path:
    """Apache Kafka's jars, resolved once by Maven and kept in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    home = cache / "assay" / f"kafka-{VERSION}"
    if not (home / "complete").exists():
        work = home.with_name(f"{home.name}.{uuid4().hex[:8]}")
        work.mkdir(parents=True)
        (work / "pom.xml").write_text(POM)
        subprocess.run(
            ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars",
             "-DincludeScope=runtime"],
            cwd=work,
            check=True,
        )  # fmt: skip
        (work / "complete").touch()
        shutil.rmtree(home, ignore_errors=True)
        work.rename(home)
    return home / "jars"
