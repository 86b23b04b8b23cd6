//! How a change to a contact that cannot be made is answered.

use domain::ids::ContactId;
use domain::model::contact::AddressKind;
use ports::store::contacts::{ContactOutcome, ContactView};

use crate::error::ApiError;

/// The contact after the change, or the refusal. `taken` leads to the address that another contact
/// may have.
pub(super) fn done(
    outcome: ContactOutcome,
    taken: impl Fn(AddressKind) -> Vec<String>,
) -> Result<Box<ContactView>, ApiError> {
    match outcome {
        ContactOutcome::Done(view) => Ok(view),
        ContactOutcome::Gone | ContactOutcome::NoSuchContact => Err(ApiError::not_found("contact")),
        ContactOutcome::NoSuchChannel => Err(ApiError::not_found("contact channel")),
        ContactOutcome::AddressTaken { kind, holder } => {
            Err(address_taken(kind, holder, &taken(kind)))
        }
        ContactOutcome::LastAddress => Err(ApiError::bad_request(
            "A contact must keep at least one address",
        )),
        ContactOutcome::SameContact => Err(ApiError::bad_request(
            "A contact cannot be merged with itself",
        )
        .with_field(&["sourceContactId"], "is the same contact")),
    }
}

/// The end of a removal: a contact that is gone is as done as one that is left.
pub(super) fn removed(outcome: ContactOutcome) -> Result<(), ApiError> {
    if matches!(outcome, ContactOutcome::Gone) {
        return Ok(());
    }
    done(outcome, |_| Vec::new()).map(|_| ())
}

fn address_taken(kind: AddressKind, holder: ContactId, path: &[String]) -> ApiError {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let code = kind.code();
    ApiError::bad_request(format!(
        "This {code} identifier is already associated with another contact"
    ))
    .with_field(&path, "is already associated with another contact")
    .detail("contactId", holder.to_string())
}
