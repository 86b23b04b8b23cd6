//! Two contacts become one.

use domain::ids::{ContactId, ProjectKey};
use domain::time::Timestamp;
use ports::store::contacts::{ContactChannelView, ContactOutcome, ContactView};
use rusqlite::params;

use super::consent::standings;
use super::contacts::view;
use super::fault::Fault;
use super::lines::Line;
use crate::rows::codes::Coded;

impl Line<'_> {
    pub(super) fn merge(
        &mut self,
        project: ProjectKey,
        target: &ContactView,
        source: ContactId,
        at: Timestamp,
    ) -> Result<Option<ContactOutcome>, Fault> {
        if target.id == source {
            return Ok(Some(ContactOutcome::SameContact));
        }
        let Some(gone) = view(self.connection, project, source)? else {
            return Ok(Some(ContactOutcome::NoSuchContact));
        };
        self.list_addresses(project, target)?;
        for channel in &gone.channels {
            let has_kind = target.channels.iter().any(|it| it.kind == channel.kind);
            let has_it = target
                .channels
                .iter()
                .any(|it| it.kind == channel.kind && it.identifier == channel.identifier);
            if !has_it {
                let is_primary = channel.is_primary && !has_kind;
                // The holder of an address is unique, so the old row goes first.
                self.connection.execute(
                    "DELETE FROM contact_address
                     WHERE contact = ?1 AND kind = ?2 AND identifier = ?3",
                    params![source.key(), channel.kind.number(), channel.identifier],
                )?;
                let moved = ContactChannelView {
                    is_primary,
                    updated_at: at,
                    ..channel.clone()
                };
                self.put_address(project, target.id, &moved)?;
            }
        }
        let theirs = standings(self.connection, source)?;
        let both = standings(self.connection, target.id)?.stricter(&theirs);
        self.move_history(source, target.id)?;
        self.stand(project, target.id, &both)?;
        self.erase(project, source)?;
        for channel in &gone.channels {
            self.hold_number(project, target.id, channel.kind, &channel.identifier)?;
        }
        Ok(None)
    }

    /// Messages, threads and metrics of one contact become another's.
    fn move_history(&mut self, source: ContactId, target: ContactId) -> Result<(), Fault> {
        let both = params![source.key(), target.key()];
        self.connection
            .execute("UPDATE message SET contact = ?2 WHERE contact = ?1", both)?;
        self.connection.execute(
            "INSERT INTO channel_record (contact, channel, success_count, failure_count,
                 delivery_time_sum, delivery_time_count, last_success_at, incapable_until,
                 last_inbound_at)
             SELECT ?2, channel, success_count, failure_count, delivery_time_sum,
                 delivery_time_count, last_success_at, incapable_until, last_inbound_at
             FROM channel_record WHERE contact = ?1
             ON CONFLICT (contact, channel) DO UPDATE SET
                 success_count = success_count + excluded.success_count,
                 failure_count = failure_count + excluded.failure_count,
                 delivery_time_sum = delivery_time_sum + excluded.delivery_time_sum,
                 delivery_time_count = delivery_time_count + excluded.delivery_time_count,
                 last_success_at = max(ifnull(last_success_at, excluded.last_success_at),
                     ifnull(excluded.last_success_at, last_success_at)),
                 incapable_until = max(ifnull(incapable_until, excluded.incapable_until),
                     ifnull(excluded.incapable_until, incapable_until)),
                 last_inbound_at = max(ifnull(last_inbound_at, excluded.last_inbound_at),
                     ifnull(excluded.last_inbound_at, last_inbound_at))",
            both,
        )?;
        self.connection.execute(
            "INSERT INTO thread (contact, sender, last_outbound_at, last_inbound_at,
                 last_inbound_channel, whatsapp_window_from, opted_out, project, no_promotions,
                 channels, message_count, unread_count, last_message, created_at)
             SELECT ?2, sender, last_outbound_at, last_inbound_at, last_inbound_channel,
                 whatsapp_window_from, opted_out, project, no_promotions, channels, message_count,
                 unread_count, last_message, created_at
             FROM thread WHERE contact = ?1
             ON CONFLICT (contact, sender) DO UPDATE SET
                 last_outbound_at = max(ifnull(last_outbound_at, excluded.last_outbound_at),
                     ifnull(excluded.last_outbound_at, last_outbound_at)),
                 last_inbound_channel = iif(ifnull(excluded.last_inbound_at, -1)
                         > ifnull(last_inbound_at, -1),
                     excluded.last_inbound_channel, last_inbound_channel),
                 last_inbound_at = max(ifnull(last_inbound_at, excluded.last_inbound_at),
                     ifnull(excluded.last_inbound_at, last_inbound_at)),
                 whatsapp_window_from = max(
                     ifnull(whatsapp_window_from, excluded.whatsapp_window_from),
                     ifnull(excluded.whatsapp_window_from, whatsapp_window_from)),
                 channels = channels | excluded.channels,
                 message_count = message_count + excluded.message_count,
                 unread_count = unread_count + excluded.unread_count,
                 last_message = max(ifnull(last_message, excluded.last_message),
                     ifnull(excluded.last_message, last_message)),
                 created_at = min(ifnull(created_at, excluded.created_at),
                     ifnull(excluded.created_at, created_at))",
            both,
        )?;
        self.connection
            .execute("UPDATE consent SET contact = ?2 WHERE contact = ?1", both)?;
        Ok(())
    }
}
