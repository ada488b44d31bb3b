#!/usr/bin/env python3
"""New traffic beside a backlog: end to end with an empty queue, and with a million messages queued.

    bench/beside.py [--messages 1000000] [--load 100000] [--rounds 3]

The backlog is another account's, for a carrier that is down. Both measurements are of the same process in
turn, several rounds each; prints the rates, their medians' ratio, and resident memory.
"""

import argparse
import json
import statistics

from gateways import BULK_TOKEN, Stage, build, resident_mb


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--load", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=192)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    build()
    with Stage() as stage:
        stage.bulk = True
        stage.simulator()
        gateway = stage.postrider()

        def rates():
            runs = [stage.bench("--messages", args.load, "--connections", args.connections) for _ in range(args.rounds)]
            return [run["end_to_end_per_second"] for run in runs]

        stage.bench("--messages", args.load, "--connections", args.connections)
        without = rates()
        filled = stage.bench(
            "--messages", args.messages, "--connections", 4, "--batch", 1000, sink=False, token=BULK_TOKEN
        )
        beside = rates()
        print(
            json.dumps(
                {
                    "backlog": filled["accepted"],
                    "without_per_second": without,
                    "beside_per_second": beside,
                    "ratio": round(statistics.median(beside) / statistics.median(without), 3),
                    "resident_mb": round(resident_mb(gateway), 1),
                }
            )
        )


if __name__ == "__main__":
    main()
