#!/usr/bin/env python3
"""Postrider and Kannel side by side in one run: same messages, same simulator, same sink.

    bench/compare.py [--messages 60000] [--kannel-messages 20000] [--rounds 1] [--skip-kannel]

POSTRIDER_BIN names a binary to use instead of a fresh one of the profile that is shipped (`dist`).

Kannel is Debian's package (`apt-get install kannel`). Every figure is of a run of its own, with a
fresh simulator, spool and database. Prints one JSON object a run and a table at the end.
"""

import argparse
import json

from gateways import Stage, build, cpu_seconds


def postrider(messages, *options, sink=True, simulator=()):
    with Stage() as stage:
        smsc = stage.simulator(*simulator)
        gateway = stage.postrider()
        before = cpu_seconds(gateway), cpu_seconds(smsc)
        summary = stage.bench("--messages", messages, *options, sink=sink)
        summary["gateway_cpu_us"] = round((cpu_seconds(gateway) - before[0]) / messages * 1e6, 1)
        summary["smsc_cpu_us"] = round((cpu_seconds(smsc) - before[1]) / messages * 1e6, 1)
        return summary


def kannel(messages, *options, store, sink=True):
    with Stage() as stage:
        stage.simulator()
        processes = stage.kannel(store)
        before = sum(map(cpu_seconds, processes))
        summary = stage.bench("--dialect", "kannel", "--messages", messages, *options, sink=sink)
        summary["gateway_cpu_us"] = round((sum(map(cpu_seconds, processes)) - before) / messages * 1e6, 1)
        return summary


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=60_000)
    parser.add_argument("--kannel-messages", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=128)
    parser.add_argument("--kannel-connections", type=int, default=32, help="more of them make Kannel slower")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--skip-kannel", action="store_true")
    args = parser.parse_args()
    build()
    load = ("--connections", args.connections)
    kannel_load = ("--connections", args.kannel_connections)
    rows = []

    def run(name, measure, key):
        summary = measure()
        print(json.dumps({"run": name, **summary}), flush=True)
        rows.append((name, summary[key], summary["gateway_cpu_us"], summary.get("lost", 0), summary["refused"]))
        return summary

    for _ in range(args.rounds):
        if not args.skip_kannel:
            for store in (True, False):
                name = "Kannel with spool store" if store else "Kannel without store"
                run(f"{name}: end to end", lambda: kannel(args.kannel_messages, *kannel_load, store=store), "end_to_end_per_second")
            run(
                "Kannel with spool store: accept",
                lambda: kannel(args.kannel_messages, *kannel_load, store=True, sink=False),
                "accept_per_second",
            )
        run("Postrider: end to end", lambda: postrider(args.messages, *load), "end_to_end_per_second")
        held = ("--resp-delay", "60s")
        run(
            "Postrider: accept alone",
            lambda: postrider(args.messages, *load, sink=False, simulator=held),
            "accept_per_second",
        )
        run(
            "Postrider: accept by batches of 1000",
            lambda: postrider(args.messages * 3, "--connections", 4, "--batch", 1000, sink=False, simulator=held),
            "accept_per_second",
        )
    print(f"\n{'run':<42}{'messages/s':>12}{'gateway µs':>12}{'lost':>6}{'refused':>9}")
    for name, rate, cpu, lost, refused in rows:
        print(f"{name:<42}{rate:>12,.0f}{cpu:>12}{lost:>6}{refused:>9}")


if __name__ == "__main__":
    main()
