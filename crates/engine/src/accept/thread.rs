//! Station 1: which earlier messages does a request speak of, and are they of the same thread?

use domain::ids::MessageId;
use domain::model::channel::Channel;
use domain::model::contact::ContactFacts;
use ports::store::fold::is_answerable;
use ports::store::messages::ViewKind;

use crate::Inner;
use crate::request::{Refused, SendRequest};

/// What a message has to do with earlier ones.
#[derive(Default)]
pub(super) struct Thread {
    /// The inbound message that it answers, and that one's channel.
    pub(super) reply_to: Option<(MessageId, Channel)>,
    /// The provider's id of the message that it answers or reacts to.
    pub(super) context: Option<Box<str>>,
}

/// What a message has to do with earlier ones; checks that they are of the same thread.
pub(super) async fn thread(
    inner: &Inner,
    request: &SendRequest,
    contact: &ContactFacts,
) -> Result<Thread, Refused> {
    if let Some(conversation) = request.conversation
        && (Some(conversation.contact) != contact.id || conversation.sender != request.sender)
    {
        return Err(Refused::OtherThread);
    }
    if let Some(target) = request.reacts_to {
        let context = reacted_to(inner, request, contact, target).await?;
        return Ok(Thread {
            context: Some(context),
            ..Thread::default()
        });
    }
    let Some(id) = request.in_reply_to else {
        return Ok(Thread::default());
    };
    let view = inner.store.message(request.project, id).await?;
    match view.map(|it| (it.contact, it.kind)) {
        Some((writer, ViewKind::Inbound(inbound))) => {
            // The person may have written from another of their addresses.
            let is_theirs = inbound.from == request.to || writer.is_some() && writer == contact.id;
            if !is_theirs || inbound.sender != request.sender {
                return Err(Refused::OtherThread);
            }
            // Text messages know no quotes; their ids are of no use.
            let context = inbound
                .provider_id
                .filter(|_| is_answerable(inbound.channel));
            Ok(Thread {
                reply_to: Some((id, inbound.channel)),
                context,
            })
        }
        Some((_, ViewKind::Outbound { .. })) | None => Err(Refused::NoSuchInbound),
    }
}

/// The provider's id of a message that is reacted to.
async fn reacted_to(
    inner: &Inner,
    request: &SendRequest,
    contact: &ContactFacts,
    target: MessageId,
) -> Result<Box<str>, Refused> {
    let view = inner.store.message(request.project, target).await?;
    let view = view.ok_or(Refused::NothingToReactTo)?;
    let sender = match &view.kind {
        ViewKind::Outbound { message, .. } => message.sender,
        ViewKind::Inbound(inbound) => inbound.sender,
    };
    if view.contact.is_none() || view.contact != contact.id || sender != request.sender {
        return Err(Refused::OtherThread);
    }
    let reference = inner.store.provider_reference(target).await?;
    Ok(reference.ok_or(Refused::NothingToReactTo)?.reference)
}
