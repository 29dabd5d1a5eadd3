//! The list of a closed set's values, which cannot fall behind the set.
//!
//! Owns the macro behind every `ALL`. A slice and not an array, so that a further value is no
//! breaking change.

/// Declares `ALL` for an enum without fields, in the order given.
///
/// The list is also the pattern of an exhaustive match: a value that is missing from it does not
/// compile.
macro_rules! closed_set {
    ($(#[$doc:meta])* $of:ident { $($value:ident),+ $(,)? }) => {
        impl $of {
            $(#[$doc])*
            pub const ALL: &'static [Self] = &[$(Self::$value),+];
        }

        const _: fn($of) = |value| match value {
            $($of::$value)|+ => (),
        };
    };
}

pub(crate) use closed_set;
