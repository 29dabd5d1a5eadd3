//! [`ConfigValue`]: the value of a setting in an error.

use std::fmt;
use std::time::Duration;

use crate::classify::class::ErrorClass;
use crate::outcome::readable_duration::Readable;

/// The value of a setting that breaks a rule, in a [`ConfigIssue`](crate::error::ConfigIssue).
///
/// `Display` prints it for people: times with a unit, classes with their names.
///
/// ```
/// use std::time::Duration;
/// use redress::error::ConfigValue;
///
/// assert_eq!(ConfigValue::from(Duration::from_millis(1_500)).to_string(), "1.5 s");
/// assert_eq!(ConfigValue::Unset.to_string(), "nothing");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ConfigValue {
    /// The setting has no value, and must have one.
    Unset,
    /// A switch.
    Flag(bool),
    /// A whole number.
    Integer(i128),
    /// A share, a factor or tokens. May be infinite or NaN.
    Number(f64),
    /// A time.
    Time(Duration),
    /// A set of classes.
    Classes(Vec<ErrorClass>),
    /// A name, or the description of any other value.
    Text(String),
}

/// Numbers are equal if they are the same in `f64::total_cmp`, so that errors can be compared: NaN
/// is equal to itself.
impl PartialEq for ConfigValue {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unset, Self::Unset) => true,
            (Self::Flag(one), Self::Flag(other)) => one == other,
            (Self::Integer(one), Self::Integer(other)) => one == other,
            (Self::Number(one), Self::Number(other)) => one.total_cmp(other).is_eq(),
            (Self::Time(one), Self::Time(other)) => one == other,
            (Self::Classes(one), Self::Classes(other)) => one == other,
            (Self::Text(one), Self::Text(other)) => one == other,
            _ => false,
        }
    }
}

impl Eq for ConfigValue {}

impl fmt::Display for ConfigValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => f.write_str("nothing"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Integer(number) => write!(f, "{number}"),
            // `Debug` writes large and small numbers with an exponent.
            Self::Number(number) => write!(f, "{number:?}"),
            Self::Time(time) => write!(f, "{}", Readable(*time)),
            Self::Classes(classes) => write_classes(f, classes),
            Self::Text(text) => f.write_str(text),
        }
    }
}

fn write_classes(f: &mut fmt::Formatter<'_>, classes: &[ErrorClass]) -> fmt::Result {
    if classes.is_empty() {
        return f.write_str("an empty list");
    }
    for (index, class) in classes.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        write!(f, "{separator}{class}")?;
    }
    Ok(())
}

macro_rules! from_integers {
    ($($integer:ty),*) => {
        $(
            impl From<$integer> for ConfigValue {
                fn from(number: $integer) -> Self {
                    Self::Integer(number.into())
                }
            }
        )*
    };
}

from_integers!(u8, u16, u32, u64, i32, i64);

impl From<usize> for ConfigValue {
    fn from(number: usize) -> Self {
        Self::Integer(number as i128)
    }
}

impl From<bool> for ConfigValue {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<f64> for ConfigValue {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<Duration> for ConfigValue {
    fn from(time: Duration) -> Self {
        Self::Time(time)
    }
}

impl From<Vec<ErrorClass>> for ConfigValue {
    fn from(classes: Vec<ErrorClass>) -> Self {
        Self::Classes(classes)
    }
}

impl From<&str> for ConfigValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for ConfigValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
