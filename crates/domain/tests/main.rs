//! What the crate promises, checked against other people's libraries and against all inputs.

mod folds;
mod golden;
mod phone;
mod quota;
mod text;
