//! The ledger: every amount that was spent, twice: once where it went and once where it came from
//! (R-COST-1).

use crate::ids::{MessageId, ProjectKey, RouteKey};
use crate::model::money::Micros;
use crate::time::Timestamp;

/// An account of a project. What one gains another loses, so that all of them together are zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Account {
    /// What there is to spend; less than nothing where nothing was paid in.
    Funds,
    /// Where funds come from.
    Deposits,
    /// What a route has charged.
    Charges(RouteKey),
}

/// Why an amount moved.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Movement {
    /// A route charged an attempt, or corrected what it had charged.
    Charge {
        /// The message.
        message: MessageId,
        /// The attempt.
        attempt: u8,
    },
    /// Somebody paid in, or took out.
    Deposit,
}

/// One line of the ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Posting {
    /// Whose.
    pub project: ProjectKey,
    /// When.
    pub at: Timestamp,
    /// The account that gains.
    pub to: Account,
    /// The account that loses as much.
    pub from: Account,
    /// How much; negative for a correction.
    pub amount: Micros,
    /// Why.
    pub movement: Movement,
}

impl Posting {
    /// What it does to each of its two accounts: together nothing.
    pub const fn sides(&self) -> [(Account, Micros); 2] {
        [(self.to, self.amount), (self.from, Micros(-self.amount.0))]
    }
}
