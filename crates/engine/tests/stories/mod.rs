//! One file a subject.

mod accepting;
mod alerts;
mod backlog;
mod bills;
mod consent;
mod controls;
mod failover;
mod fallback;
mod mms;
mod order;
mod ownership;
mod people;
mod quota_alerts;
mod quotas;
mod receipts;
mod restart;
mod stuck;
mod templates;
mod threads;
mod tiers;
mod webhooks;
mod withdrawn;
