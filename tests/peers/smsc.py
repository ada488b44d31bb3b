"""An SMSC made of the PyPI package smpp.twisted3: a server that others have written, told what to do
in JSON lines on standard input, and telling what it has seen in JSON lines on standard output."""

import json
import sys

from smpp.pdu import pdu_types
from smpp.pdu.operations import DeliverSM
from smpp.pdu.pdu_types import EsmClass, EsmClassMode, EsmClassType, AddrTon, AddrNpi
from smpp.twisted.config import SMPPServerConfig
from smpp.twisted.protocol import DataHandlerResponse
from smpp.twisted.server import SMPPServerFactory
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import IRealm, Portal
from twisted.internet import reactor, stdio
from twisted.protocols.basic import LineReceiver
from zope.interface import implementer

SYSTEM_ID = "gateway"


def say(**line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


@implementer(IRealm)
class Realm:
    def requestAvatar(self, avatar_id, mind, *interfaces):
        return interfaces[0], avatar_id, lambda: None


class Smsc:
    def __init__(self):
        self.last_id = 1_000_000_000
        config = SMPPServerConfig(
            msgHandler=self.take, systems={SYSTEM_ID: {"max_bindings": 4}}, sessionInitTimerSecs=30
        )
        portal = Portal(Realm())
        checker = InMemoryUsernamePasswordDatabaseDontUse()
        # The server looks users up as strings.
        checker.addUser(SYSTEM_ID, "secret")
        portal.registerChecker(checker)
        self.factory = SMPPServerFactory(config, auth_portal=portal)
        listening = reactor.listenTCP(0, self.factory, interface="127.0.0.1")
        say(listening=listening.getHost().port)

    def take(self, system_id, smpp, pdu):
        self.last_id += 1
        message_id = str(self.last_id)
        params = pdu.params
        text = params.get("message_payload") or params["short_message"]
        say(
            submit={
                "from": params["source_addr"].decode(),
                "to": params["destination_addr"].decode(),
                "data_coding": str(params["data_coding"]),
                "esm_class": str(params["esm_class"]),
                "octets": text.hex(),
            }
        )
        reactor.callLater(0, self.receipt, params, message_id)
        return DataHandlerResponse(status=pdu_types.CommandStatus.ESME_ROK, message_id=message_id.encode())

    def receipt(self, params, message_id):
        text = (
            f"id:{message_id} sub:001 dlvrd:001 submit date:2611221200 done date:2611221201 "
            "stat:DELIVRD err:000 text:"
        )
        self.deliver(
            DeliverSM(
                source_addr=params["destination_addr"],
                destination_addr=params["source_addr"],
                esm_class=EsmClass(EsmClassMode.DEFAULT, EsmClassType.SMSC_DELIVERY_RECEIPT),
                short_message=text.encode(),
            )
        )

    def deliver(self, pdu):
        bound = self.factory.getBoundConnections(SYSTEM_ID)
        connection = bound.getNextBindingForDelivery()
        sent = connection.sendDataRequest(pdu)
        sent.addCallbacks(
            lambda answer: say(deliver_answer=str(answer.response.status)), lambda failure: say(fault=str(failure.value))
        )


class Orders(LineReceiver):
    delimiter = b"\n"

    def __init__(self, smsc):
        self.smsc = smsc

    def lineReceived(self, line):
        mo = json.loads(line)["mo"]
        self.smsc.deliver(
            DeliverSM(
                source_addr_ton=AddrTon.INTERNATIONAL,
                source_addr_npi=AddrNpi.ISDN,
                source_addr=mo["from"].encode(),
                destination_addr=mo["to"].encode(),
                short_message=mo["text"].encode("ascii"),
            )
        )

    def connectionLost(self, reason):
        if reactor.running:
            reactor.stop()


stdio.StandardIO(Orders(Smsc()))
reactor.run()
