#!/usr/bin/env python3
"""One-time codes of one account beside the backlog of another, over one connector and with one priority.

    bench/fairness.py [--messages 1000000] [--rate 20] [--seconds 30]

The connector takes 2,000 parts a second. Three runs, each on a store of its own:

    alone     codes, and nothing else
    beside    codes while the backlog of a bulk account is sent
    restart   the backlog first, then the codes, while the carrier is down; then the gateway is killed and
              started again with the carrier there, and time counts from when it is ready

For each: how many milliseconds it takes from the 202 (or, after the restart, from readiness) until a code is
submitted and until it is delivered, as p50, p99 and the most, and what the bulk account got meanwhile.
"""

import argparse
import datetime
import http.client
import json
import re
import signal
import time
import urllib.request

from gateways import BINARY, BULK_TOKEN, TOKEN, Stage, accepts, build, free_port, wait_for


class Shared(Stage):
    """Two accounts that share a connector of limited throughput."""

    throughput = 2_000

    def resources(self):
        accounts = "".join(
            f'[[account]]\nid = "{name}"\napi_token = "{token}"\ndefault_sender = "BENCH"\n'
            for name, token in (("codes", TOKEN), ("bulk", BULK_TOKEN))
        )
        path = self.directory / "resources.toml"
        path.write_text(
            f"""{accounts}
[[connector]]
id = "smsc"
protocol = "smpp"
address = "127.0.0.1:{self.smsc_port}"
system_id = "bench"
password = "bench"
sessions = {self.sessions}
window = {self.window}
throughput = {self.throughput}
"""
        )
        return path

    def fill(self, messages):
        """Hands in the backlog by /v1/batches."""
        return self.bench("--messages", messages, "--connections", 4, "--batch", 1000, sink=False, token=BULK_TOKEN)

    def moved(self, status):
        with urllib.request.urlopen(f"http://{self.http}/metrics", timeout=10) as answer:
            found = re.search(rf'messages_moved_total{{[^}}]*status="{status}"[^}}]*}} (\d+)', answer.read().decode())
        return int(found.group(1)) if found else 0


def send_codes(stage, rate, count):
    """Sends codes at a rate; returns for each its id and the time at which its 202 was there."""
    connection = http.client.HTTPConnection(stage.http, timeout=30)
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    codes, begin = [], time.monotonic()
    for n in range(count):
        time.sleep(max(0.0, begin + n / rate - time.monotonic()))
        body = json.dumps({"to": f"+4477009{n % 100_000:05}", "text": f"Your code is {n:06}"})
        connection.request("POST", "/v1/messages", body, headers)
        answer = connection.getresponse()
        message = json.loads(answer.read())
        if answer.status != 202:
            raise SystemExit(f"a code was refused: {answer.status} {message}")
        codes.append((message["id"], time.time()))
    connection.close()
    return codes


def ended(stage, codes, seconds):
    """The messages of all codes, once each has ended."""
    left, found = [id for id, _ in codes], {}

    def look():
        for id in list(left):
            message = stage.get(f"/v1/messages/{id}")
            if message["final_at"] is None:
                return False
            found[id] = message
            left.remove(id)
        return True

    wait_for("the end of all codes", look, seconds)
    return found


def at(text):
    return datetime.datetime.fromisoformat(text).timestamp()


def spread(millis):
    millis = sorted(max(0.0, value) for value in millis)
    pick = lambda share: millis[min(len(millis) - 1, int(len(millis) * share))]
    return {"p50": round(pick(0.5), 1), "p99": round(pick(0.99), 1), "max": round(millis[-1], 1)}


def waited(codes, messages, since=None):
    """From the 202, or from one moment for all, until submission and until delivery."""
    lost = sum(message["status"] != "delivered" for message in messages.values())
    until = lambda field: spread(
        (at(messages[id][field]) - (since or accepted)) * 1000 for id, accepted in codes if messages[id][field]
    )
    return {"codes": len(codes), "not_delivered": lost, "submitted_ms": until("submitted_at"), "delivered_ms": until("final_at")}


def live(args, bulk):
    with Shared() as stage:
        stage.simulator()
        stage.postrider()
        if bulk:
            stage.fill(args.messages)
        before, begin = stage.moved("sent"), time.monotonic()
        codes = send_codes(stage, args.rate, args.rate * args.seconds)
        sent = (stage.moved("sent") - before) / (time.monotonic() - begin)
        result = waited(codes, ended(stage, codes, args.patience))
        return {**result, "sent_per_second": round(sent)}


def restarted(args):
    with Shared() as stage:
        stage.smsc_port = free_port()
        gateway = stage.postrider()
        stage.fill(args.messages)
        codes = send_codes(stage, 1000, args.rate * args.seconds)
        stage.stop(gateway, signal.SIGKILL)
        stage.start("smsc", [BINARY, "simulate", "smpp", "--listen", f"127.0.0.1:{stage.smsc_port}"])
        wait_for("the simulator's start", lambda: accepts(stage.smsc_port))
        begin = time.monotonic()
        stage.postrider()
        ready, starting = time.time(), time.monotonic() - begin
        result = waited(codes, ended(stage, codes, args.patience), since=ready)
        return {**result, "start_seconds": round(starting, 2)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1_000_000, help="of the bulk account")
    parser.add_argument("--rate", type=int, default=20, help="codes a second")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--patience", type=int, default=120, help="seconds until all codes must have ended")
    parser.add_argument("--only", choices=["alone", "beside", "restart"])
    args = parser.parse_args()
    build()
    runs = {
        "alone": lambda: live(args, False),
        "beside": lambda: live(args, True),
        "restart": lambda: restarted(args),
    }
    rows = []
    for name, run in runs.items():
        if args.only in (None, name):
            rows.append((name, run()))
            print(json.dumps({"run": name, **rows[-1][1]}), flush=True)
    print(f"\n{'ms':<9}{'submitted p50':>14}{'p99':>9}{'max':>9}{'delivered p50':>15}{'p99':>9}{'max':>9}{'lost':>6}")
    for name, row in rows:
        numbers = [row[until][which] for until in ("submitted_ms", "delivered_ms") for which in ("p50", "p99", "max")]
        print("{:<9}{:>14}{:>9}{:>9}{:>15}{:>9}{:>9}{:>6}".format(name, *numbers, row["not_delivered"]))


if __name__ == "__main__":
    main()
