//! The engine's stories: the real line in made-up time, on the store in memory, with providers
//! that do as they are told.

mod stories;
mod world;
