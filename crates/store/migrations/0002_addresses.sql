-- Recipients that are no phone number: content.peer is a hash of the address then, and
-- content.peer_address has it ("e:" e-mail, "t:" Telegram chat, "w:" WhatsApp user). email: the subject
-- and the rest of a message for e-mail, as JSON. context: the provider's id of the message that it
-- answers or reacts to.
ALTER TABLE content ADD COLUMN peer_address TEXT;
ALTER TABLE content ADD COLUMN email TEXT;
ALTER TABLE content ADD COLUMN context TEXT;

-- What only some providers tell of an inbound message, as JSON; see rows/inbound_detail.rs.
ALTER TABLE inbound ADD COLUMN detail TEXT;

-- Whether a receipt speaks of a whole message, however many parts that has.
ALTER TABLE parked_receipt ADD COLUMN whole INTEGER NOT NULL DEFAULT 0;

-- A person on WhatsApp whose number is hidden is one contact too.
CREATE UNIQUE INDEX contact_address_user ON contact_address (project, identifier)
    WHERE kind = 1 AND identifier NOT LIKE '+%';
