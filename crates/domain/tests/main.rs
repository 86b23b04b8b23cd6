//! What the crate promises, checked against other people's libraries and against all inputs.

mod golden;
mod phone;
mod text;
