#!/usr/bin/env python3
"""How long a client waits for its 202 while the gateway has a steady load.

    bench/latency.py [--rate 6000] [--seconds 30] [--rounds 3]

Messages come one a request at a fixed rate, and latency counts from when a request should have been sent. A
round of warming up comes first: a process that has just started has everything to make for the first time.
"""

import argparse
import json

from gateways import Stage, build


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=6_000)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--connections", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    build()
    with Stage() as stage:
        stage.simulator()
        stage.postrider()

        def round_of(seconds):
            messages = args.rate * seconds
            return stage.bench("--messages", messages, "--connections", args.connections, "--rate", args.rate)

        round_of(5)
        for _ in range(args.rounds):
            run = round_of(args.seconds)
            print(
                json.dumps(
                    {
                        "accept_per_second": run["accept_per_second"],
                        "accept_latency_ms": run["accept_latency_ms"],
                        "lost": run["lost"],
                    }
                ),
                flush=True,
            )


if __name__ == "__main__":
    main()
