"""An SMSC made with smpp34. Listens on the port given, keeps a journal in the file given, takes
commands as JSON lines on stdin and tells what happens as JSON lines on stdout (harness/smsc.py).

As a real SMSC it keeps what it accepted: each submission is in the journal before it is answered,
and what had no receipt when it was killed gets one after the next start.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import smpp34

#: States of `message_state` (SMPP 3.4, 5.3.2.35).
STATES = {"DELIVRD": 2, "UNDELIV": 5}


def tell(event: str, **fields: Any) -> None:
    """One event, at once."""
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


def text_of(submitted: smpp34.SubmitSmEvent) -> tuple[str | None, str]:
    """The header in hex, and the text."""
    octets = submitted.short_message
    header = None
    if submitted.esm_class & 0x40:
        length = octets[0] + 1
        header, octets = octets[:length].hex(), octets[length:]
    return header, octets.decode("utf-16-be" if submitted.data_coding == 8 else "ascii")


def number_of(message_id: str) -> int:
    """The number in an id, in either of its forms."""
    return int(message_id[3:]) if message_id.startswith("id-") else int(message_id, 16)


class Center:
    """The SMSC."""

    def __init__(self, port: int, journal: Path) -> None:
        self.server = smpp34.Server("127.0.0.1", port, system_id="smpp34")
        self.port = port
        self.peers: dict[str, smpp34.Esme] = {}
        self.statuses: list[int] = []
        self.stat: str | None = "DELIVRD"
        self.hex_ids = False
        #: Takes submissions, and says nothing of them: as one whose answers are lost.
        self.mute = False
        #: Accepted, and without a receipt: id to (from, to).
        self.open: dict[str, tuple[str, str]] = {}
        self.last_id = 0
        for line in journal.read_text().splitlines() if journal.exists() else []:
            entry = json.loads(line)
            if "accepted" in entry:
                self.open[entry["accepted"]] = (entry["from"], entry["to"])
                # No id is given twice, though what was rejected took one and is not in the journal.
                self.last_id = max(self.last_id, number_of(entry["accepted"]))
            else:
                self.open.pop(entry["receipted"], None)
        self.journal = journal.open("a", buffering=1)
        self.background: set[asyncio.Task[None]] = set()

    def note(self, **entry: str) -> None:
        """Writes to the journal: it is with the system when this returns."""
        self.journal.write(json.dumps(entry) + "\n")

    def spawn(self, work: Any) -> None:
        """Runs beside the loop."""
        task = asyncio.ensure_future(work)
        self.background.add(task)
        task.add_done_callback(self.background.discard)

    async def receipt(self, message_id: str, stat: str) -> None:
        """Gives the receipt of a submission, to whoever is bound."""
        peer = next(iter(self.peers.values()), None)
        addresses = self.open.get(message_id)
        if peer is None or addresses is None:
            return
        source, destination = addresses
        text = f"id:{message_id} sub:001 dlvrd:001 submit date:2611220800 done date:2611220801 stat:{stat} err:000 text:"
        try:
            answer = await peer.deliver_sm(
                source,
                text.encode(),
                source_addr=destination,
                esm_class=4,
                tlvs=[
                    smpp34.Tlv(smpp34.TLV_RECEIPTED_MESSAGE_ID, message_id.encode() + b"\0"),
                    smpp34.Tlv(smpp34.TLV_MESSAGE_STATE, bytes([STATES[stat]])),
                ],
            )
        except smpp34.SmppError:
            return
        if answer.is_success:
            self.open.pop(message_id, None)
            self.note(receipted=message_id)

    def submitted(self, event: smpp34.SubmitSmEvent) -> None:
        """Answers a submission."""
        status = self.statuses.pop(0) if self.statuses else 0
        self.last_id += 1
        message_id = f"{self.last_id:08x}" if self.hex_ids else f"id-{self.last_id}"
        header, text = text_of(event)
        source, destination = event.source_addr, event.destination_addr
        tell("submit", id=message_id, status=status, to=destination, udh=header, text=text,
             dataCoding=event.data_coding, **{"from": source})
        if status:
            event.reject(status)
            return
        self.open[message_id] = (source, destination)
        self.note(accepted=message_id, to=destination, text=text, **{"from": source})
        if self.mute:
            return
        event.accept(message_id)
        if self.stat is not None:
            self.spawn(self.receipt(message_id, self.stat))

    async def bound(self, peer: smpp34.Esme) -> None:
        """Gives what is open from before."""
        tell("bound", systemId=peer.system_id)
        if self.stat is not None:
            for message_id in list(self.open):
                await self.receipt(message_id, self.stat)

    async def inbound(self, source: str, destination: str, text: str) -> None:
        """A person writes."""
        peer = next(iter(self.peers.values()))
        answer = await peer.deliver_sm(
            destination, text.encode("utf-16-be"), source_addr=source, data_coding=8, source_addr_ton=1, source_addr_npi=1
        )
        tell("taken", status=answer.command_status)

    async def commands(self) -> None:
        """Takes commands until stdin ends."""
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            command = json.loads(line)
            match command["do"]:
                case "answer":
                    self.statuses += command["statuses"]
                case "receipts":
                    self.stat = command["stat"]
                case "ids":
                    self.hex_ids = command["hex"]
                case "mute":
                    self.mute = True
                case "inbound":
                    self.spawn(self.inbound(command["from"], command["to"], command["text"]))
                case "unbind":
                    for peer in list(self.peers.values()):
                        await peer.unbind()

    async def run(self) -> None:
        """Serves until it is killed or stdin ends."""
        await self.server.start()
        tell("listening", port=self.port)
        self.spawn(self.commands())
        while True:
            match await self.server.next():
                case smpp34.SubmitSmEvent() as event:
                    self.submitted(event)
                case smpp34.Unbound() as event:
                    self.peers.pop(event.session_id, None)
                    tell("unbound")
                case smpp34.Esme() as peer:
                    self.peers[peer.session_id] = peer
                    self.spawn(self.bound(peer))


if __name__ == "__main__":
    asyncio.run(Center(int(sys.argv[1]), Path(sys.argv[2])).run())
