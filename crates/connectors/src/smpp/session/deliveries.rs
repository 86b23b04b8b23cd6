//! The hearing half of a session: receipts and inbound messages, and their answers.

use std::sync::Arc;

use tokio::time::Instant;

use super::super::codes::status;
use super::super::pdu::{self, Frame, Message};
use super::super::reassembly::incoming;
use super::super::{inbound, receipt};
use super::answers::try_again;
use super::{Session, State};

impl Session {
    pub(super) fn hear_delivery(
        &mut self,
        frame: &Frame<'_>,
        message: Option<Message<'_>>,
        now: Instant,
    ) {
        if let State::Binding { .. } = self.state {
            // Who has not let us in is nobody yet. A server whose deliveries overtake its own answer
            // delivers them again.
            let status = try_again(frame.command);
            pdu::deliver_response(&mut self.out, frame.command, status, frame.sequence);
            return;
        }
        let Some(message) = message else {
            pdu::deliver_response(
                &mut self.out,
                frame.command,
                status::INVALID_LENGTH,
                frame.sequence,
            );
            return;
        };
        let context = Arc::clone(&self.context);
        let config = &context.config;
        if let Some(receipt) = receipt::read(config, &message) {
            if receipt::is_usable(&receipt) {
                let ack = self.outbox.ack(frame.command, frame.sequence);
                self.unanswered += 1;
                context.events.receipt(receipt, ack);
            } else {
                tracing::debug!("a receipt without id was passed over");
                pdu::deliver_response(&mut self.out, frame.command, status::OK, frame.sequence);
            }
            return;
        }
        let Some(piece) = inbound::piece(&message) else {
            tracing::debug!("an inbound message without text was passed over");
            pdu::deliver_response(&mut self.out, frame.command, status::OK, frame.sequence);
            return;
        };
        let (from, to) = (message.source.text, message.destination.text);
        if let Some(place) = piece.place {
            let ack = self.outbox.ack(frame.command, frame.sequence);
            self.unanswered += 1;
            for (message, ack) in context.reassembly.add(from, to, (&piece, place), ack, now) {
                context.events.inbound(message, ack);
            }
            return;
        }
        let text = inbound::read(piece.coding, piece.octets, config.default_alphabet);
        if let Some(message) = incoming(from, to, text) {
            let ack = self.outbox.ack(frame.command, frame.sequence);
            self.unanswered += 1;
            context.events.inbound(message, ack);
        } else {
            tracing::warn!("an inbound message was passed over: its sender is no phone number");
            pdu::deliver_response(&mut self.out, frame.command, status::OK, frame.sequence);
        }
    }

    pub(super) fn answer(&mut self, now: Instant) {
        let answers = self.outbox.drain();
        for it in &answers {
            self.unanswered = self.unanswered.saturating_sub(1);
            pdu::deliver_response(&mut self.out, it.command, it.status, it.sequence);
        }
        self.outbox.recycle(answers);
        if self.is_paused && self.unanswered < self.context.config.unanswered_max {
            // What is in flight may have been answered long since, unread: its time begins anew.
            self.is_paused = false;
            self.heard = now;
            let until = now + self.context.config.response_timeout.to_duration();
            self.in_flight.values_mut().for_each(|it| it.until = until);
            self.next_timeout = Some(until);
        }
    }
}
