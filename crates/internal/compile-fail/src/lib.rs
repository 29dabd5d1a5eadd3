//! Common mistakes of users, and what the compiler says about each: `tests/mistakes`.
