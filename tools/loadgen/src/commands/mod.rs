//! One file for each subcommand.

pub mod backlog;
pub mod ceiling;
pub mod crash;
pub mod lanes;
pub mod line;
pub mod quota;
pub mod send;
pub mod sink;
pub mod stand_in;
pub mod verify;
