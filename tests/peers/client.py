"""An application made of the PyPI package "smpplib": binds, submits what it is told in JSON lines on
standard input, answers what it is given, and tells of all of it in JSON lines on standard output."""

import json
import select
import sys

import smpplib.client
import smpplib.consts
import smpplib.gsm

host, port = sys.argv[1].split(":")


def say(line):
    print(json.dumps(line), flush=True)


def text(octets):
    return octets.decode("latin-1") if octets else ""


def delivered(pdu):
    names = ("receipted_message_id", "message_state")
    identity, state = (getattr(pdu, name, None) for name in names)
    say({"deliver": {"from": text(pdu.source_addr), "to": text(pdu.destination_addr), "esm_class": pdu.esm_class,
                     "text": text(pdu.short_message), "id": text(identity), "state": state}})


client = smpplib.client.Client(host, int(port), allow_unknown_opt_params=True)
client.set_message_sent_handler(lambda pdu: say({"answer": {"status": int(pdu.status), "id": text(pdu.message_id)}}))
client.set_message_received_handler(delivered)
client.connect()
answer = client.bind_transceiver(system_id="shop", password="secret")
say({"bound": int(answer.status), "server": text(answer.system_id)})

while True:
    ready, _, _ = select.select([client._socket, sys.stdin], [], [])
    if client._socket in ready:
        try:
            client.read_once()
        except smpplib.exceptions.ConnectionError:
            break
    if sys.stdin in ready:
        line = sys.stdin.readline()
        if not line:
            break
        submit = json.loads(line)["submit"]
        parts, encoding, esm_class = smpplib.gsm.make_parts(submit["text"])
        for part in parts:
            client.send_message(
                source_addr_ton=smpplib.consts.SMPP_TON_ALNUM, source_addr="SHOP",
                dest_addr_ton=smpplib.consts.SMPP_TON_INTL, dest_addr_npi=smpplib.consts.SMPP_NPI_ISDN,
                destination_addr=submit["to"], short_message=part, data_coding=encoding, esm_class=esm_class,
                registered_delivery=True)
say({"unbound": True})
