// An application made of the npm package "smpp": binds, submits what it is told in JSON lines on
// standard input, answers what it is given, and tells of all of it in JSON lines on standard output.
'use strict';

const readline = require('readline');
const smpp = require('smpp');

const [host, port] = process.argv[2].split(':');
const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');
const text = (pdu) => {
  const message = pdu.message_payload || pdu.short_message;
  return message && message.message !== undefined ? message.message : message;
};

const session = smpp.connect({ url: `smpp://${host}:${port}` }, () => {
  const credentials = { system_id: 'shop', password: 'secret', interface_version: 0x34 };
  session.bind_transceiver(credentials, (pdu) => say({ bound: pdu.command_status, server: pdu.system_id }));
});
session.on('deliver_sm', (pdu) => {
  say({ deliver: { from: pdu.source_addr, to: pdu.destination_addr, esm_class: pdu.esm_class, text: text(pdu),
    id: pdu.receipted_message_id || null, state: pdu.message_state === undefined ? null : pdu.message_state } });
  session.send(pdu.response());
});
session.on('unbind', (pdu) => {
  say({ unbound: true });
  session.send(pdu.response());
  session.close();
});
session.on('error', (error) => say({ fault: String(error) }));

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const { submit, query, replace } = JSON.parse(line);
  if (submit) {
    const pdu = { source_addr: 'SHOP', source_addr_ton: 5, dest_addr_ton: 1, dest_addr_npi: 1, registered_delivery: 1 };
    session.submit_sm({ ...pdu, destination_addr: submit.to, short_message: submit.text, ...submit.more }, (answer) =>
      say({ answer: { status: answer.command_status, id: answer.message_id } }));
  }
  if (replace) {
    const pdu = { message_id: replace.id, source_addr: replace.from || 'SHOP', source_addr_ton: 5, registered_delivery: 1 };
    session.replace_sm({ ...pdu, short_message: replace.text, schedule_delivery_time: replace.at || '' }, (answer) =>
      say({ replaced: answer.command_status }));
  }
  if (query) {
    session.query_sm({ message_id: query }, (answer) =>
      say({ state: { status: answer.command_status, state: answer.message_state } }));
  }
});
