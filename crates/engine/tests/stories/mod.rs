//! One file a subject.

mod accepting;
mod alerts;
mod backlog;
mod bills;
mod consent;
mod controls;
mod failover;
mod fallback;
mod order;
mod ownership;
mod receipts;
mod restart;
mod templates;
mod threads;
mod webhooks;
