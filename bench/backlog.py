#!/usr/bin/env python3
"""A million messages queued while the carrier is down: memory, restart, and how fast they drain.

    bench/backlog.py [--messages 1000000]

Prints resident memory with the queue full, the seconds from the start of a killed gateway to its first
submit, and the rate at which the backlog drains with receipts and signed webhooks.
"""

import argparse
import json
import re
import signal
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from gateways import BINARY, Stage, build, free_port, resident_mb, wait_for


def moved(stage, status):
    with urllib.request.urlopen(f"http://{stage.http}/metrics", timeout=10) as answer:
        found = re.search(rf'messages_moved_total{{[^}}]*status="{status}"[^}}]*}} (\d+)', answer.read().decode())
    return int(found.group(1)) if found else 0


class Sink(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--drain-seconds", type=int, default=20)
    args = parser.parse_args()
    build()
    with Stage() as stage:
        stage.smsc_port = free_port()
        gateway = stage.postrider()
        filled = stage.bench("--messages", args.messages, "--connections", 4, "--batch", 1000, sink=False)
        full = resident_mb(gateway)
        stage.stop(gateway, signal.SIGKILL)
        port, stage.smsc_port = stage.smsc_port, None
        stage.start("smsc", [BINARY, "simulate", "smpp", "--listen", f"127.0.0.1:{port}"])
        stage.smsc_port = port
        begin = time.monotonic()
        gateway = stage.postrider()
        wait_for("the first submit", lambda: moved(stage, "sent") > 0)
        first = time.monotonic() - begin
        sink = ThreadingHTTPServer(("127.0.0.1", stage.sink_port), Sink)
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        before, at = moved(stage, "delivered"), time.monotonic()
        time.sleep(args.drain_seconds)
        drained = (moved(stage, "delivered") - before) / (time.monotonic() - at)
        draining = resident_mb(gateway)
        sink.shutdown()
        print(
            json.dumps(
                {
                    "messages": args.messages,
                    "accept_per_second": filled["accept_per_second"],
                    "resident_mb_full": round(full, 1),
                    "restart_to_first_submit_seconds": round(first, 2),
                    "drain_per_second": round(drained),
                    "resident_mb_draining": round(draining, 1),
                }
            )
        )


if __name__ == "__main__":
    main()
