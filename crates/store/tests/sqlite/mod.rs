//! What only the SQLite store does, and that it does what the model does.

mod files;
mod lists;
mod model;
mod scripts;
mod webhook_steps;
