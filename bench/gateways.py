"""Starts what a benchmark needs: the SMSC simulator, Postrider, and Kannel from Debian's packages.

Everything runs in one temporary directory, on loopback, on ports of its own, and ends with it.
"""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = pathlib.Path(os.environ.get("POSTRIDER_BIN") or ROOT / "target" / "dist" / "postrider")
TOKEN = "bench-token-of-no-value"
BULK_TOKEN = "bulk-token-of-no-value"
WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def build():
    """Builds the binary as it is shipped, unless POSTRIDER_BIN names one."""
    if "POSTRIDER_BIN" in os.environ:
        return
    subprocess.run(["cargo", "build", "--profile", "dist", "--quiet", "--bin", "postrider"], cwd=ROOT, check=True)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(what, check, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = check()
        if result:
            return result
        time.sleep(0.02)
    sys.exit(f"{what} did not happen within {seconds} s")


def accepts(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Stage:
    """A temporary directory and the processes in it."""

    def __init__(self, window=100, sessions=2, sink_port=None):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="postrider-bench-"))
        self.window, self.sessions = window, sessions
        self.sink_port = sink_port or free_port()
        self.processes = []
        # A second account whose messages go to a carrier that is down.
        self.bulk = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            self.stop(process)
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self, name, command, **options):
        log = open(self.directory / f"{name}.log", "ab")
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.directory, **options)
        process.name = name
        self.processes.append(process)
        return process

    def stop(self, process, how=signal.SIGTERM):
        if process in self.processes:
            self.processes.remove(process)
        if process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def simulator(self, *options, protocol="smpp"):
        self.smsc_port = free_port()
        listen = f"127.0.0.1:{self.smsc_port}"
        process = self.start("smsc", [BINARY, "simulate", protocol, "--listen", listen, *options])
        wait_for("the simulator's start", lambda: accepts(self.smsc_port))
        return process

    def resources(self):
        text = f"""
[[account]]
id = "bench"
api_token = "{TOKEN}"
webhooks = [{{ url = "http://127.0.0.1:{self.sink_port}/", secret = "{WEBHOOK_SECRET}", events = ["message.delivered"] }}]

[[connector]]
id = "smsc"
protocol = "smpp"
address = "127.0.0.1:{self.smsc_port}"
system_id = "bench"
password = "bench"
sessions = {self.sessions}
window = {self.window}
"""
        if self.bulk:
            text += f"""
[[account]]
id = "bulk"
api_token = "{BULK_TOKEN}"

[[connector]]
id = "down"
protocol = "smpp"
address = "127.0.0.1:{free_port()}"
system_id = "bench"
password = "bench"

[[route]]
id = "bulk"
match = {{ account = ["bulk"] }}
to = "down"

[[route]]
id = "rest"
to = "smsc"
"""
        path = self.directory / "resources.toml"
        path.write_text(text)
        return path

    def postrider(self):
        """Starts the gateway; self.http and self.smpp are then its addresses."""
        self.http, self.smpp = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        config = self.directory / "postrider.toml"
        config.write_text(
            f'[http]\nlisten = ["{self.http}"]\n[smpp]\nlisten = ["{self.smpp}"]\n'
            '[webhooks]\nallow_private = ["127.0.0.0/8"]\n'
            '[log]\nlevel = "warn"\naccess = ""\n'
        )
        process = self.start(
            "postrider",
            [BINARY, "serve", "--config", config, "--data", self.directory / "data", "--resources", self.resources()],
        )
        wait_for("Postrider's start", self.ready)
        return process

    def ready(self):
        try:
            with urllib.request.urlopen(f"http://{self.http}/readyz", timeout=1) as answer:
                return answer.status == 200
        except OSError:
            return False

    def get(self, path):
        request = urllib.request.Request(f"http://{self.http}{path}", headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def kannel(self, store):
        """Starts bearerbox and smsbox, with the spool store or without; self.http is then smsbox's."""
        admin, box, sendsms = free_port(), free_port(), free_port()
        self.http = f"127.0.0.1:{sendsms}"
        spool = self.directory / f"spool-{store}"
        spool.mkdir()
        stored = f"store-type = spool\nstore-location = {spool}\n" if store else ""
        (self.directory / "kannel.conf").write_text(
            f"""group = core
admin-port = {admin}
admin-password = bench
admin-allow-ip = "127.0.0.1"
smsbox-port = {box}
log-level = 4
dlr-storage = internal
{stored}
group = smsc
smsc = smpp
smsc-id = smsc
host = 127.0.0.1
port = {self.smsc_port}
smsc-username = bench
smsc-password = bench
system-type = ""
transceiver-mode = true
max-pending-submits = {self.window}

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
log-level = 4

group = sendsms-user
username = bench
password = bench
max-messages = 10
concatenation = true
"""
        )
        bearerbox = self.start("bearerbox", ["/usr/sbin/bearerbox", "kannel.conf"])
        wait_for("bearerbox's start", lambda: accepts(box))
        smsbox = self.start("smsbox", ["/usr/sbin/smsbox", "kannel.conf"])
        wait_for("smsbox's start", lambda: accepts(sendsms))
        status = f"http://127.0.0.1:{admin}/status.txt?password=bench"

        def online():
            try:
                with urllib.request.urlopen(status, timeout=1) as answer:
                    return b"(online" in answer.read()
            except OSError:
                return False

        wait_for("Kannel's bind", online)
        return [smsbox, bearerbox]

    def bench(self, *options, sink=True, token=TOKEN):
        command = [BINARY, "bench", "http", "--address", self.http, "--token", token, *map(str, options)]
        if sink:
            command += ["--sink", f"127.0.0.1:{self.sink_port}"]
        return self.measured(command)

    def bench_smpp(self, *options):
        return self.measured([BINARY, "bench", "smpp", "--address", self.smpp, *map(str, options)])

    def measured(self, command):
        """What a bench prints."""
        run = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        lines = run.stdout.decode().strip().splitlines()
        if not lines:
            sys.exit(f"the bench printed nothing (exit {run.returncode}); logs are in {self.directory}")
        return json.loads(lines[-1])


def cpu_seconds(process):
    """User and system time that a process has used so far."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(process):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
