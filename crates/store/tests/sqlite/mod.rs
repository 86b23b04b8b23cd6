//! What only the SQLite store does, and that it does what the model does.

mod files;
mod model;
mod scripts;
mod webhook_steps;
