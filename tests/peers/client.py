"""An application made of the PyPI package "smpplib": binds, submits what it is told in JSON lines on
standard input, answers what it is given, and tells of all of it in JSON lines on standard output.

With SMPP_CA, the file of a certificate authority, it binds over TLS; with SMPP_CERT and SMPP_KEY it
shows a certificate of its own."""

import json
import os
import select
import ssl
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


def tls():
    if "SMPP_CA" not in os.environ:
        return None
    context = ssl.create_default_context(cafile=os.environ["SMPP_CA"])
    # The library connects without a name that could be checked.
    context.check_hostname = False
    if "SMPP_CERT" in os.environ:
        context.load_cert_chain(os.environ["SMPP_CERT"], os.environ["SMPP_KEY"])
    return context


def waits():
    """Whether octets are there that select does not see."""
    return isinstance(client._socket, ssl.SSLSocket) and client._socket.pending() > 0


client = smpplib.client.Client(host, int(port), ssl_context=tls(), allow_unknown_opt_params=True)
client.set_message_sent_handler(lambda pdu: say({"answer": {"status": int(pdu.status), "id": text(pdu.message_id)}}))
client.set_message_received_handler(delivered)
try:
    client.connect()
    answer = client.bind_transceiver(system_id="shop", password="secret")
except (OSError, smpplib.exceptions.ConnectionError, smpplib.exceptions.PDUError) as error:
    say({"refused": str(error)})
    sys.exit(0)
say({"bound": int(answer.status), "server": text(answer.system_id)})

while True:
    ready, _, _ = select.select([client._socket, sys.stdin], [], [], 0 if waits() else None)
    if waits():
        ready = [client._socket]
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
            fields = {
                "source_addr_ton": smpplib.consts.SMPP_TON_ALNUM, "source_addr": "SHOP",
                "dest_addr_ton": smpplib.consts.SMPP_TON_INTL, "dest_addr_npi": smpplib.consts.SMPP_NPI_ISDN,
                "destination_addr": submit["to"], "short_message": part, "data_coding": encoding,
                "esm_class": esm_class, "registered_delivery": True}
            client.send_message(**fields | submit.get("more", {}))
say({"unbound": True})
