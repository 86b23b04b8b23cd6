//! Quotas and what is booked: periods in their time zones, limits that hold, and folds that book once.

mod booking;
mod books;
mod copies;
mod limits;
mod periods;
mod rests;
