//! Tests of the table and the classifier on errors made by hand, and of the SDK's client against a
//! scripted server on loopback.

mod arbitrary;
mod codes;
mod credentials;
mod kinds;
mod made;
mod retries;
mod sdk;
mod stub;
