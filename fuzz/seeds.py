"""Writes the first inputs of the fuzz targets, made from the crates' test vectors: seeds.py DIRECTORY"""

import hashlib
import json
import pathlib
import sys

CRATES = pathlib.Path(__file__).resolve().parent.parent / "crates"


def vectors(crate, name):
    return json.loads((CRATES / crate / "tests" / "vectors" / name).read_text(encoding="utf-8"))


def seeds():
    """Pairs of a target and an input."""
    for vector in vectors("smpp", "smpp_pdus.json")["vectors"]:
        pdu = bytes.fromhex(vector["input_hex"])
        yield "smpp_frame_and_pdu", pdu
        body = pdu[16:16 + 255]
        # Into a client that is bound (after an answer to its bind), and into a server likewise.
        bound_client = bytes([5, 1, 1, 0x85, 1, 0, 1, 0])
        bound_server = bytes([0, 1, 1, 5, 1, 0, 7, 0, 0, 0, 0x34, 0, 0, 0, 7, 0])
        for start in (bound_client, bound_server):
            yield "smpp_session", start + bytes([4, 0, 0, 31]) + pdu[:31]
            yield "smpp_session", start + bytes([1, 8, 3, 0, len(body)]) + body
    for vector in vectors("ucp", "ucp_frames.json")["vectors"]:
        if "frame" not in vector:
            continue
        frame = vector["frame"].encode()
        yield "ucp_frame", b"\r\n\x02" + frame + b"\x03"
        header, data = frame[:14].decode(), frame[14:-2]
        trn, ot, result = int(header[0:2]), int(header[11:13]), header[9] == "R"
        # Into a client that has logged in (after an answer to its login), and into a server likewise.
        open_client = bytes([3, 0, 2, 60, 0, 2]) + b"A/"
        open_server = bytes([0, 0, 1, 60, 0, 0, 7, 0])
        for start in (open_client, open_server):
            yield "ucp_session", start + bytes([2 if result else 1, ot, trn, min(len(data), 255)]) + data[:255]
    receipts = vectors("smpp", "smpp_receipts_times.json")
    for receipt in receipts["receipts"]:
        yield "receipt_text", receipt.get("text", "").encode()
    for time in receipts["smpp_times"]:
        yield "smpp_time", time.get("text", "").encode()
    cimd2 = vectors("cimd2", "cimd2.json")
    for vector in cimd2["vectors"]:
        packet = bytes.fromhex(vector["wire_hex"])
        yield "cimd2_frame", packet
        # Into a client that is logged in (after an answer to its login), and into a server likewise.
        for start in (bytes([1, 3, 1, 7, 1, 0, 0]), bytes([0, 3, 1, 0, 1, 0, 0, 7, 0])):
            pieces = (packet[at:at + 31] for at in range(0, len(packet), 31))
            yield "cimd2_session", start + b"".join(bytes([0, len(piece)]) + piece for piece in pieces)
    # Into a modem's session whose setup was answered, mostly with OK.
    ready = bytes([0]) + bytes([7, 0, 1, 0]) * 6 + bytes([7, 0, 1, 4]) + bytes([7, 0, 1, 0]) * 22 + bytes([7, 0, 1, 3]) + bytes([7, 0, 1, 0]) * 8
    for answer in vectors("at", "at_transcripts.json")["device_answers"]:
        raw = bytes.fromhex(answer["raw_hex"])[:255]
        yield "at_session", ready + bytes([0, len(raw)]) + raw
    for word in range(24):
        yield "at_session", ready + bytes([4, 0, 7, 0, 1, 2, 7, 0, 1, word, 5, 0, 6, 255, 1, 6])
    for name, key in (("special", "combination"), ("extension", "cimd")):
        for entry in cimd2[f"{name}_combinations"]:
            yield "cimd2_frame", entry[key].encode("latin-1")
    for vector in vectors("sms", "tpdu.json")["vectors"]:
        yield "tpdu", bytes.fromhex(vector["input_hex"])
        if "tpdu_hex" in vector:
            yield "tpdu", bytes.fromhex(vector["tpdu_hex"])
    for vector in vectors("sms", "tpdu_fields.json")["udh"]:
        for key in ("hex", "ie_hex"):
            if key in vector:
                yield "udh_and_user_data", bytes([1, 0, 100]) + bytes.fromhex(vector[key])
    for vector in vectors("sms", "gsm7.json")["vectors"]:
        if "packed_hex" in vector:
            yield "udh_and_user_data", bytes([2, 0, vector.get("septets", 100) % 256]) + bytes.fromhex(vector["packed_hex"])
        for flags in range(16):
            yield "text_plan", bytes([flags, 1]) + vector.get("text", "").encode()
    for number in ("+447700900123", "07700 900123", "(0)20-7946.0000", "0044 7700 900123", "SHOP", "60777"):
        yield "submission", number.encode()
    message = {"to": "+447700900123", "from": "SHOP", "text": "é€", "class": 0, "priority": 3, "receipt": "all"}
    message |= {"send_at": "2030-01-31T00:00:00Z", "tags": {"a": "b"}, "tlvs": [{"tag": 5121, "hex": "0102"}]}
    yield "submission", json.dumps(message).encode()
    yield "submission", b'{"to":"1","binary":{"data":"AAECAw==","udh":"BQADAQIB","dcs":4},"validity_seconds":60}'
    yield from provider_seeds()
    for text in ("x" * 161, "€" * 77, "ж" * 71, "😀" * 40, "\u201cquoted\u2014text\u201d " * 9):
        yield "text_plan", bytes([0, 3]) + text.encode()


def provider_seeds():
    """A reader, a status in fours, how often what stands between two ones is repeated, headers, query and body."""
    presets = sorted(path.stem for path in (CRATES / "model/src/resources/http/presets").glob("*.toml"))
    everything, xml, token = (3 * len(presets) + n for n in range(3))
    form = b"content-type:application/x-www-form-urlencoded"

    def seed(reader, body, status=50, times=0, head=b"", query=b""):
        number = reader if isinstance(reader, int) else 3 * presets.index(reader) + 1
        return "provider", bytes([number, status, times]) + head + b"\0" + query + b"\0" + body

    yield seed("twilio", b'{"sid":"SM1","status":"queued","code":21211,"message":"no"}')
    yield seed("twilio", b"MessageSid=SM1&MessageStatus=delivered&To=%2B155&From=%2B44&Body=hi", head=form)
    yield seed("vonage", b'{"messages":[{"message-id":"0A","status":"0","error-text":"x"}]}')
    yield seed("vonage", b"", query=b"msisdn=447700900000&to=AcmeInc&messageId=aa&status=delivered&err-code=0")
    yield seed("vonage", b"", query=b"msisdn=447700900000&to=1&data=0102&udh=050003010201&concat-ref=1&concat-total=2&concat-part=1")
    message = b'{"messageId":"m","to":"41","status":{"groupId":1,"name":"PENDING_ACCEPTED"}}'
    yield seed("infobip", b'{"messages":[' + b",".join([message] * 3) + b"]}")
    result = b'{"messageId":"m","from":"385","to":"385","text":"QUIZ","status":{"name":"DELIVERED_TO_HANDSET"},"error":{"id":0}}'
    yield seed("infobip", b'{"results":[' + result + b"\x01," + result + b"\x01]}", times=5)
    telnyx = b'{"data":{"event_type":"message.%s","payload":{"id":"m","to":[{"phone_number":"+1","status":"delivered"}],"from":{"phone_number":"+1"},"text":"hi"}}}'
    for event in (b"finalized", b"received"):
        yield seed("telnyx", telnyx % event)
    sinch = b'{"type":"recipient_delivery_report_sms","batch_id":"01","status":"Delivered","code":0,"recipient":"44"}'
    yield seed("sinch", sinch)
    yield seed("mtn-v2", b'{"statusCode":"0000","data":{"requestId":"r","deliveryStatus":[{"status":"DeliveredToTerminal"}]}}')
    yield seed("mtn-v2", b'{"statusCode":"0000","data":{"inboundSMSMessage":[{"registrationId":"1","message":"x","senderAddress":"27"}]}}')
    yield seed("mtn-v3", b'{"clientCorrelatorId":"6c","deliveryStatus":"DELIVERED","error":"000","receiverAddress":"23"}')
    yield seed("kannel", b"0: Accepted for delivery")
    yield seed("jasmin", b'Success "07033084-5cfd-4812-90a4-e4d24ffb6e3d"')
    report = b"<acceptreport><statuscode>0</statuscode><messageid>E</messageid></acceptreport>"
    yield seed("ozeki", b"<?xml version='1.0'?><response><data>" + report + b"</data></response>")
    yield seed("android-sms-gateway", b'{"event":"sms:received","payload":{"phoneNumber":"+1","message":"x"}}', head=b"x-timestamp:1\nx-signature:00")
    yield seed(everything, b'{"m":[{"f":"447700900000","t":"1","id":7,"s":"ok","d":"00ff","u":"0500","p":1,"c":2,"n":1}],"r":["DELIVRD"]}')
    for deep in (b"[", b'{"m":[', b"<a>", b"<a b='c'>", b"&#38;", b'"x",', b"9"):
        for reader in (everything, xml):
            yield seed(reader, b"\x01" + deep + b"\x01", times=15)
            yield seed(reader, b'{"m":[\x01' + deep + b"\x01]}", times=12)
    yield seed(xml, b"<a><m s='0'><id>1</id><f>447700900000</f><t>a&lt;<![CDATA[&]]></t></m>\x01<r id='1'><s>D</s></r>\x01</a>", times=8)
    yield seed(xml, b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>")
    claims = b"eyJhbGciOiJIUzI1NiJ9.eyJpYXQiOjE3OTUzNzg0MDB9.AAAA"
    yield seed(token, b"{}", head=b"authorization:Bearer " + claims)


def main(directory):
    for target, octets in seeds():
        folder = pathlib.Path(directory) / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / hashlib.sha1(octets).hexdigest()).write_bytes(octets)


main(sys.argv[1])
