#!/usr/bin/env python3
"""Messages in by SMPP, to disk, out over a provider's HTTP API, and their receipts back by call: how many a second.

    bench/providers.py [--messages 200000] [--api infobip telnyx] [--requests 32] [--sessions 4] [--window 250] [--rounds 1]

POSTRIDER_BIN names a binary to use instead of a fresh one of the profile that is shipped (`dist`).

The provider is `postrider simulate http` on the same machine; `infobip` takes 100 messages a request, `telnyx` one.
Every run has a fresh simulator and database. Prints one JSON object a run and a table at the end.
"""

import argparse
import json

from gateways import BINARY, accepts, build, cpu_seconds, free_port, wait_for
from smpp import Plain, children_seconds


class Provider(Plain):
    """One account, one connector to a provider."""

    def __init__(self, args):
        super().__init__(args)
        self.api, self.requests = args.one_api, args.requests

    def simulator(self, *options):
        self.smsc_port = free_port()
        command = [BINARY, "simulate", "http", "--api", self.api, "--listen", f"127.0.0.1:{self.smsc_port}",
                   "--user", "bench", "--password", "bench", *options]
        process = self.start("provider", command)
        wait_for("the simulator's start", lambda: accepts(self.smsc_port))
        return process

    def connector(self, name, sessions):
        callback = f', callback = {{ url = "http://{self.http}", secret = "a-secret-of-the-path" }}'
        return f"""
[[connector]]
id = "{name}"
protocol = "http"
address = "http://127.0.0.1:{self.smsc_port}"
system_id = "bench"
password = "bench"
sessions = {sessions}
window = {self.requests}
http = {{ preset = "{self.api}"{callback} }}
"""


def measure(args):
    with Provider(args) as stage:
        provider = stage.simulator()
        gateway = stage.postrider()
        before = cpu_seconds(gateway), cpu_seconds(provider), children_seconds()
        options = ["--messages", args.messages, "--sessions", args.sessions, "--window", args.window]
        summary = stage.bench_smpp(*options, "--system-id", ",".join(stage.accounts))
        after = cpu_seconds(gateway), cpu_seconds(provider), children_seconds()
        for name, begin, end in zip(("gateway", "provider", "bench"), before, after):
            summary[f"{name}_cpu_us"] = round((end - begin) / args.messages * 1e6, 1)
        return summary


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--api", nargs="+", default=["infobip", "telnyx"])
    parser.add_argument("--requests", type=int, default=32, help="requests under way of each of two sessions")
    parser.add_argument("--sessions", type=int, default=4, help="SMPP sessions that submit")
    parser.add_argument("--window", type=int, default=250, help="of each of those")
    parser.add_argument("--rounds", type=int, default=1)
    args = parser.parse_args()
    build()
    rows = []
    for _ in range(args.rounds):
        for api in args.api:
            summary = measure(argparse.Namespace(**vars(args), one_api=api))
            print(json.dumps({"run": api, **summary}), flush=True)
            rows.append((api, summary))
    print(f"\n{'run':<10}{'end to end/s':>14}{'p50 ms':>9}{'p99 ms':>9}{'gateway µs':>12}{'provider µs':>13}{'lost':>6}")
    for api, summary in rows:
        latency = summary["end_to_end_latency_ms"]
        print(
            f"{api:<10}{summary['end_to_end_per_second']:>14,.0f}{latency['p50']:>9.1f}{latency['p99']:>9.1f}"
            f"{summary['gateway_cpu_us']:>12}{summary['provider_cpu_us']:>13}{summary['lost']:>6}"
        )


if __name__ == "__main__":
    main()
