//! The rules of the specification, one family a file. Each file opens with its rule's number.

pub mod due;
pub mod fallback;
pub mod metrics;
pub mod outcome;
pub mod receipt_order;
pub mod unknown;
