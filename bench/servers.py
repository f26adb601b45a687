"""The servers that are measured: each starts, says what it holds, and stops."""

import atexit
import base64
import hashlib
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

ORGANISATIONS = 8
PASSWORD = "echo-and-load"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def authorisations():
    """`user:md5` of each organisation's till in base64, as lua/customer.lua takes them."""
    digest = hashlib.md5(PASSWORD.encode()).hexdigest()
    tills = [f"bench.{number}" for number in range(1, ORGANISATIONS + 1)]
    return [base64.b64encode(f"{till}:{digest}".encode()).decode() for till in tills]


class Server:
    """A process that listens on a port of its own."""

    def __init__(self, name, directory):
        self.name = name
        self.directory = pathlib.Path(directory)
        self.port = free_port()
        self.process = None
        # The number of the next customer that it does not have.
        self.next = 0

    def start(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        log = (self.directory / "log").open("ab")
        self.process = subprocess.Popen(
            self.command(), stdout=log, stderr=log, env=os.environ | self.environment()
        )
        atexit.register(self.stop)
        self.wait_until_up()

    def command(self):
        raise NotImplementedError

    def environment(self):
        return {}

    def processes(self):
        """What works for it, each with its descendants."""
        return [self.process.pid]

    def wait_until_up(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        sys.exit(f"{self.name} does not start; see {self.directory / 'log'}")

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=60)
            self.process = None

    def remove(self):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def get(self, path, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path, headers=headers or {})
        return json.loads(connection.getresponse().read())


class Echo(Server):
    def __init__(self, binary, directory):
        super().__init__("echo", directory)
        self.binary = binary

    def command(self):
        return [self.binary, f"127.0.0.1:{self.port}"]


class Patron(Server):
    """Patron with one organisation for each shard of the load."""

    def __init__(self, name, binary, directory, template):
        super().__init__(name, directory)
        self.binary = binary
        # The file of an organisation, with `{number}` in it.
        self.template = pathlib.Path(template)

    def start(self):
        if not self.directory.exists():
            self.directory.mkdir(parents=True)
            self.make()
        super().start()

    def make(self):
        for number in range(1, ORGANISATIONS + 1):
            file = self.directory / "organisation.toml"
            file.write_text(self.template.read_text().replace("{number}", str(number)))
            self.patron("org", "apply", "--yes", file)

    def patron(self, *arguments):
        environment = os.environ | self.environment()
        subprocess.run([self.binary, *arguments], check=True, env=environment, stdout=subprocess.DEVNULL)

    def command(self):
        return [self.binary, "serve", "--rate-limit", "0"]

    def environment(self):
        return self.registry() | {"PATRON_LISTEN": f"127.0.0.1:{self.port}", "PATRON_LOG": "warn"}

    def registry(self):
        """Where it keeps what it knows."""
        return {"PATRON_DATA": str(self.directory / "data")}

    def registered(self, number, mobile):
        """Whether the customer of this number can be read back."""
        till = authorisations()[number % ORGANISATIONS]
        reply = self.get(
            f"/v1.1/customer/get?format=json&mobile={mobile}", {"Authorization": f"Basic {till}"}
        )
        return reply["response"]["status"]["success_count"] == "1"


class PatronOnPostgreSQL(Patron):
    """Patron whose registry is in a database of a cluster's."""

    def __init__(self, name, binary, directory, template, cluster):
        super().__init__(name, binary, directory, template)
        self.cluster = cluster
        self.database = name.replace("-", "_")

    def make(self):
        self.cluster.run("CREATE DATABASE " + self.database)
        self.patron("migrate", "up")
        super().make()

    def remove(self):
        super().remove()
        self.cluster.run(f"DROP DATABASE IF EXISTS {self.database} WITH (FORCE)")

    def processes(self):
        return [*super().processes(), *self.cluster.processes()]

    def registry(self):
        return {"PATRON_DATABASE": f"postgres://bench@127.0.0.1:{self.cluster.port}/{self.database}"}


class PocketBase(Server):
    """PocketBase with one collection that has the same unique keys."""

    def __init__(self, binary, directory):
        super().__init__("PocketBase", directory)
        self.binary = binary

    def start(self):
        if not (self.directory / "data").exists():
            self.directory.mkdir(parents=True)
            subprocess.run(
                [self.binary, "superuser", "upsert", "bench@example.com", "bench-password", f"--dir={self.directory / 'data'}"],
                check=True, stdout=subprocess.DEVNULL,
            )
            super().start()
            self.set_up()
        else:
            super().start()

    def command(self):
        return [self.binary, "serve", f"--http=127.0.0.1:{self.port}", f"--dir={self.directory / 'data'}"]

    def set_up(self):
        def post(path, body, token=None):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            headers = {"Content-Type": "application/json"} | ({"Authorization": token} if token else {})
            connection.request("POST", path, json.dumps(body), headers)
            reply = connection.getresponse()
            text = reply.read()
            if reply.status != 200:
                sys.exit(f"PocketBase refuses its set-up: {text.decode()}")
            return json.loads(text)

        login = {"identity": "bench@example.com", "password": "bench-password"}
        token = post("/api/collections/_superusers/auth-with-password", login)["token"]
        texts = ["mobile", "email", "external_id", "firstname", "lastname", "registered_on", "type", "source", "city", "pincode", "gender", "tier"]
        unique = ["mobile", "email", "external_id"]
        post("/api/collections", {
            "name": "customers", "type": "base", "createRule": "",
            "fields": [{"name": name, "type": "text"} for name in texts]
            + [{"name": name, "type": "number"} for name in ("organisation", "points")],
            "indexes": [
                f"CREATE UNIQUE INDEX customers_{name} ON customers (organisation, {name})" for name in unique
            ],
        }, token)


class PostgreSQL(Server):
    """A throw-away cluster as the packages make one: durable commits."""

    def __init__(self, binaries, directory, schema):
        super().__init__("PostgreSQL", directory)
        self.binaries = pathlib.Path(binaries)
        self.schema = schema
        # PostgreSQL refuses to run as root.
        self.user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []

    def start(self):
        data = self.directory / "data"
        fresh = not data.exists()
        self.directory.mkdir(parents=True, exist_ok=True)
        if self.user:
            shutil.chown(self.directory, "postgres")
        if fresh:
            initdb = [self.binaries / "initdb", "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8"]
            subprocess.run(self.user + initdb, check=True, stdout=subprocess.DEVNULL)
        super().start()
        self.wait_until_ready()
        if fresh:
            self.psql("-f", self.schema)

    def run(self, statement):
        self.psql("-c", statement)

    def psql(self, *arguments):
        command = ["psql", "-q", "-v", "ON_ERROR_STOP=1", *self.connection(), *arguments]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)

    def wait_until_ready(self):
        while subprocess.run(["pg_isready", "-q", *self.connection()]).returncode != 0:
            time.sleep(0.05)

    def command(self):
        return self.user + [
            self.binaries / "postgres", "-D", self.directory / "data", "-p", str(self.port),
            "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.directory}",
            "-c", "shared_buffers=512MB", "-c", "max_wal_size=4GB",
        ]

    def connection(self):
        return ["-h", "127.0.0.1", "-p", str(self.port), "-U", "bench", "-d", "postgres"]
