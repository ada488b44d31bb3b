#!/usr/bin/env python3
"""Messages in by SMPP, to disk, out by SMPP or another protocol, and their receipts back: how many a second.

    bench/smpp.py [--messages 300000] [--sessions 4] [--window 250] [--rounds 1] [--rate N] [--only plain|busy]
                  [--carrier smpp|ucp|cimd2]

POSTRIDER_BIN names a binary to use instead of a fresh one of the profile that is shipped (`dist`).

"plain" is one account and one connector; "busy" is ten accounts, three pools of two connectors and a
hundred routes, of which each account's is among the last. Every run has a fresh simulator and
database. Prints one JSON object a run and a table at the end.
"""

import argparse
import json
import resource

from gateways import TOKEN, Stage, build, cpu_seconds


# The largest windows, and what else a connector must be told.
WINDOW_MAX = {"smpp": 10_000, "ucp": 100, "cimd2": 127}
SETTINGS = {"smpp": "", "ucp": 'ucp = { alert_address = "12345" }', "cimd2": ""}


class Plain(Stage):
    """One account, one connector."""

    accounts = ["bench"]

    def __init__(self, args):
        super().__init__(window=args.window, sessions=getattr(args, "carrier_sessions", 2))
        self.binds = args.sessions
        self.carrier = getattr(args, "carrier", "smpp")

    def account(self, name):
        return f"""
[[account]]
id = "{name}"
api_token = "{TOKEN}-{name}"
smpp = {{ system_id = "{name}", password = "bench", max_binds = {self.binds}, window = {self.window} }}
"""

    def connector(self, name, sessions):
        return f"""
[[connector]]
id = "{name}"
protocol = "{self.carrier}"
address = "127.0.0.1:{self.smsc_port}"
system_id = "{name}"
password = "bench"
sessions = {sessions}
window = {min(self.window, WINDOW_MAX[self.carrier])}
{SETTINGS[self.carrier]}
"""

    def rules(self):
        return self.connector("smsc", self.sessions) + '[[route]]\nid = "all"\nto = "smsc"\n'

    def resources(self):
        path = self.directory / "resources.toml"
        path.write_text("".join(map(self.account, self.accounts)) + self.rules())
        return path


class Busy(Plain):
    """Ten accounts, three pools, a hundred routes."""

    accounts = [f"bench{n}" for n in range(10)]

    def rules(self):
        text = ""
        for pool in range(3):
            members = [f"smsc{2 * pool}", f"smsc{2 * pool + 1}"]
            text += "".join(self.connector(name, 1) for name in members)
            listed = ", ".join(f'{{ connector = "{name}" }}' for name in members)
            text += f'[[pool]]\nid = "pool{pool}"\nmembers = [{listed}]\n'
        # None of these takes anything, each for a reason of its own.
        conditions = [
            'to_prefix = ["{n}"]',
            'from = ["{n}"], to_country = ["GB"]',
            'account = ["bench{d}"], to_prefix = ["4471{n}"]',
            'from_prefix = ["9{n}"]',
        ]
        for n in range(97):
            condition = conditions[n % len(conditions)].format(n=100 + n, d=n % 10)
            text += f'[[route]]\nid = "rule{n}"\nmatch = {{ {condition} }}\nto = "pool{n % 3}"\n'
        for pool in range(3):
            names = json.dumps(self.accounts[pool::3])
            text += f'[[route]]\nid = "accounts{pool}"\nmatch = {{ account = {names} }}\nto = "pool{pool}"\n'
        return text


def children_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(kind, args):
    with kind(args) as stage:
        smsc = stage.simulator(protocol=args.carrier)
        gateway = stage.postrider()
        before = cpu_seconds(gateway), cpu_seconds(smsc), children_seconds()
        options = ["--messages", args.messages, "--sessions", args.sessions, "--window", args.window]
        if args.rate:
            options += ["--rate", args.rate]
        summary = stage.bench_smpp(*options, "--system-id", ",".join(stage.accounts))
        after = cpu_seconds(gateway), cpu_seconds(smsc), children_seconds()
        for name, begin, end in zip(("gateway", "smsc", "bench"), before, after):
            summary[f"{name}_cpu_us"] = round((end - begin) / args.messages * 1e6, 1)
        return summary


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=300_000)
    parser.add_argument("--sessions", type=int, default=4, help="of plain; busy has one for each account at the least")
    parser.add_argument("--window", type=int, default=250, help="of each session, on both sides of the gateway")
    parser.add_argument("--rate", type=int, help="messages a second at the most")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", choices=["plain", "busy"])
    parser.add_argument("--carrier-sessions", type=int, default=2, help="to each carrier")
    parser.add_argument("--carrier", choices=sorted(WINDOW_MAX), default="smpp", help="what the carrier speaks")
    args = parser.parse_args()
    build()
    rows = []
    for _ in range(args.rounds):
        for name, kind in (("plain", Plain), ("busy", Busy)):
            if args.only not in (None, name):
                continue
            of_this = argparse.Namespace(**vars(args))
            of_this.sessions = max(args.sessions, len(kind.accounts))
            summary = measure(kind, of_this)
            print(json.dumps({"run": name, **summary}), flush=True)
            rows.append((name, summary))
    print(f"\n{'run':<8}{'end to end/s':>14}{'p50 ms':>9}{'p99 ms':>9}{'gateway µs':>12}{'bench µs':>10}{'lost':>6}{'refused':>9}")
    for name, summary in rows:
        latency = summary["end_to_end_latency_ms"]
        print(
            f"{name:<8}{summary['end_to_end_per_second']:>14,.0f}{latency['p50']:>9.1f}{latency['p99']:>9.1f}"
            f"{summary['gateway_cpu_us']:>12}{summary['bench_cpu_us']:>10}{summary['lost']:>6}{summary['refused']:>9}"
        )


if __name__ == "__main__":
    main()
