// An SMSC made with node-smpp. Listens on the port given, takes commands as JSON lines on stdin and
// tells what happens as JSON lines on stdout (harness/smsc.py).
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { join } from 'node:path';

const require = createRequire(join(process.env.CONFORMANCE_WORK, 'node', 'index.js'));
const smpp = require('smpp');

const [port] = process.argv.slice(2).map(Number);
const sessions = new Set();
const sockets = new Set();
const statuses = []; // answers to the next submissions; then 0
let receipts = 'DELIVRD'; // what the receipts say; null gives none
let lastId = 0;

const tell = (event) => process.stdout.write(JSON.stringify(event) + '\n');

function receipt(session, submitted, id, stat) {
  const states = { DELIVRD: 2, EXPIRED: 3, UNDELIV: 5, REJECTD: 8 };
  const text = `id:${id} sub:001 dlvrd:001 submit date:2611220800 done date:2611220801 stat:${stat} err:000 text:`;
  session.deliver_sm({
    esm_class: 4,
    source_addr: submitted.destination_addr,
    destination_addr: submitted.source_addr,
    short_message: text,
    receipted_message_id: id,
    message_state: states[stat],
  });
}

function serve(session) {
  sockets.add(session);
  const bound = (pdu) => {
    session.send(pdu.response({ system_id: 'node-smpp' }));
    sessions.add(session);
    tell({ event: 'bound', as: pdu.command, systemId: pdu.system_id, version: pdu.interface_version });
  };
  session.on('bind_transceiver', bound);
  session.on('bind_transmitter', bound);
  session.on('bind_receiver', bound);
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    session.send(pdu.response());
    tell({ event: 'unbound' });
    session.close();
  });
  session.on('submit_sm', (pdu) => {
    const status = statuses.shift() ?? 0;
    const id = `node-${++lastId}`;
    const { udh, message } = pdu.short_message;
    tell({
      event: 'submit', id, status,
      from: pdu.source_addr, to: pdu.destination_addr,
      udh: udh === undefined ? null : Buffer.concat([udh].flat().map((it) => Buffer.from(it))).toString('hex'),
      text: message, dataCoding: pdu.data_coding, esmClass: pdu.esm_class,
      registered: pdu.registered_delivery, validity: pdu.validity_period,
    });
    if (status !== 0) {
      session.send(pdu.response({ command_status: status }));
      return;
    }
    session.send(pdu.response({ message_id: id }));
    if (receipts !== null) receipt(session, pdu, id, receipts);
  });
  session.on('deliver_sm_resp', (pdu) => tell({ event: 'taken', status: pdu.command_status }));
  session.on('error', () => {});
  session.on('close', () => {
    sessions.delete(session);
    sockets.delete(session);
    tell({ event: 'closed' });
  });
}

let server;
function listen() {
  server = smpp.createServer(serve);
  server.listen(port, '127.0.0.1', () => tell({ event: 'listening', port }));
}

const commands = {
  answer: ({ statuses: next }) => statuses.push(...next),
  receipts: ({ stat }) => { receipts = stat; },
  // Parts that are given as a list go with a header that numbers them, in the order of `order`.
  inbound({ from, to, parts, order }) {
    const [session] = sessions;
    for (const index of order ?? parts.keys()) {
      const header = Buffer.from([5, 0, 3, 77, parts.length, index + 1]);
      const short_message = parts.length === 1 ? parts[0] : { udh: header, message: parts[index] };
      const esm_class = parts.length === 1 ? 0 : 0x40;
      session.deliver_sm({ source_addr: from, destination_addr: to, esm_class, short_message });
    }
  },
  unbind: () => sessions.forEach((it) => it.unbind(() => it.close())),
  drop: () => sockets.forEach((it) => it.destroy()),
  away() {
    server.close();
    sockets.forEach((it) => it.destroy());
    tell({ event: 'away' });
  },
  back: listen,
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const command = JSON.parse(line);
  commands[command.do](command);
}).on('close', () => process.exit(0));
listen();
