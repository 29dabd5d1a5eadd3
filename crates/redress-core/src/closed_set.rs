//! The macro behind every `ALL`, the list of a closed enum's values. `ALL` is a slice and not an
//! array, so that a further value is not a breaking change.

/// Declares `ALL` for an enum without fields, in the order given.
///
/// The list is also the pattern of an exhaustive match, so a missing value does not compile.
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
