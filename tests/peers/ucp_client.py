"""An application made of the PyPI package "ucp": logs in, submits what it is told in JSON lines on standard input,
acknowledges what it is given, and tells of all of it in JSON lines on standard output."""

import json
import select
import socket
import sys

from ucp import ucp

host, port = sys.argv[1].split(":")
connection = socket.create_connection((host, int(port)))


def say(line):
    print(json.dumps(line), flush=True)


def send(message):
    connection.sendall(str(message).encode())


def heard(frame):
    message = ucp.dispatcher(frame)
    if isinstance(message, ucp.Response):
        say({"answer": {"ot": message.ot, "ack": message.ack, "sm": message.sm}})
        return
    say({"operation": {"ot": message.ot, "from": message.oadc, "to": message.adc, "scts": message.scts,
                       "dst": message.dst, "text": message.xmsg}})
    send(ucp.Response(message.ot, "A", message.trn))


send(ucp.Request6x(60, oadc="60777", oton="6", onpi="5", styp="1", pwd="secret", vers="4", encoded=False))
rest = ""
while True:
    for ready in select.select([connection, sys.stdin], [], [])[0]:
        if ready is sys.stdin:
            line = sys.stdin.readline()
            if not line:
                sys.exit(0)
            told = json.loads(line)
            send(ucp.send_message(told["from"], told["to"], told["text"], notification=True))
            continue
        octets = connection.recv(4096)
        if not octets:
            say({"closed": True})
            sys.exit(0)
        frames = (rest + octets.decode()).split(ucp.ETX)
        rest = frames.pop()
        for frame in frames:
            heard(frame + ucp.ETX)
