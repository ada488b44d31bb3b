// An SMSC made of the npm package "smpp": a server that others have written, told what to do in JSON
// lines on standard input, and telling what it has seen in JSON lines on standard output.
//
// Message ids are hexadecimal in answers and decimal in receipts, as many SMSCs have it.
'use strict';

const readline = require('readline');
const smpp = require('smpp');

const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');
const sessions = new Set();
let lastId = 0x1f00;

function textOf(pdu) {
  const message = pdu.message_payload || pdu.short_message;
  const text = message && message.message !== undefined ? message.message : message;
  return Buffer.isBuffer(text) ? text.toString('hex') : text;
}

function headerOf(pdu) {
  const udh = pdu.short_message && pdu.short_message.udh;
  return udh ? udh.map((element) => Buffer.from(element).toString('hex')) : [];
}

function receipt(pdu, id) {
  const text = `id:${id} sub:001 dlvrd:001 submit date:2611221200 done date:2611221201 stat:DELIVRD err:000 text:`;
  return {
    source_addr: pdu.destination_addr,
    source_addr_ton: pdu.dest_addr_ton,
    source_addr_npi: pdu.dest_addr_npi,
    destination_addr: pdu.source_addr,
    dest_addr_ton: pdu.source_addr_ton,
    dest_addr_npi: pdu.source_addr_npi,
    esm_class: 4,
    short_message: text,
  };
}

const server = smpp.createServer({}, (session) => {
  const bound = (pdu) => {
    if (pdu.password !== 'secret') {
      session.send(pdu.response({ command_status: smpp.ESME_RINVPASWD }));
      return;
    }
    session.send(pdu.response({ system_id: 'node' }));
    if (pdu.command !== 'bind_transmitter') sessions.add(session);
    say({ bound: pdu.command, version: pdu.interface_version });
  };
  session.on('bind_transceiver', bound);
  session.on('bind_receiver', bound);
  session.on('bind_transmitter', bound);
  session.on('submit_sm', (pdu) => {
    const id = ++lastId;
    say({
      submit: {
        from: pdu.source_addr,
        from_ton: pdu.source_addr_ton,
        to: pdu.destination_addr,
        to_ton: pdu.dest_addr_ton,
        data_coding: pdu.data_coding,
        esm_class: pdu.esm_class,
        registered_delivery: pdu.registered_delivery,
        text: textOf(pdu),
        udh: headerOf(pdu),
      },
    });
    session.send(pdu.response({ message_id: id.toString(16) }));
    for (const receiver of sessions) {
      receiver.deliver_sm(receipt(pdu, id), (answer) => say({ receipt_answer: answer.command_status }));
      break;
    }
  });
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    session.send(pdu.response());
    say({ unbound: true });
    session.close();
  });
  session.on('close', () => sessions.delete(session));
  session.on('error', (error) => say({ fault: String(error) }));
});
server.on('error', (error) => say({ fault: String(error) }));
server.listen(0, '127.0.0.1', () => say({ listening: server.address().port }));

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const { mo } = JSON.parse(line);
  for (const session of sessions) {
    const message = { source_addr: mo.from, source_addr_ton: 1, source_addr_npi: 1, destination_addr: mo.to };
    message.short_message = mo.text;
    message.data_coding = mo.data_coding;
    session.deliver_sm(message, (answer) => say({ mo_answer: answer.command_status }));
    break;
  }
}).on('close', () => process.exit(0));
