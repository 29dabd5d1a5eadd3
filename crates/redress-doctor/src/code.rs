//! [`Code`]: the stable names of the checks.

use std::fmt;

/// What a finding is about. Codes are stable: one that is no longer found is not used again.
///
/// RD03 and RD30 are about hedged requests, which policies cannot make, so they are never found.
///
/// ```
/// use redress::doctor::Code;
///
/// assert_eq!(Code::Unbudgeted.as_str(), "RD11");
/// assert_eq!(Code::from_name("RD11"), Some(Code::Unbudgeted));
/// assert!(Code::Unbudgeted.page().ends_with("doctor.md#rd11"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Code {
    /// RD00: a setting that `build()` refuses.
    Refused,
    /// RD01: how long a call takes at worst.
    WorstTime,
    /// RD02: how many attempts a call makes at worst.
    WorstCalls,
    /// RD04: how much load the retries add when every attempt fails.
    ExtraLoad,
    /// RD10: attempts multiplied by those of other layers.
    Layers,
    /// RD11: retries that no budget limits.
    Unbudgeted,
    /// RD12: a budget that binds too late for the traffic.
    SlowBudget,
    /// RD13: a budget whose capacity is less than the price of a retry.
    PartOfAToken,
    /// RD20: a setting without effect.
    WithoutEffect,
    /// RD21: a breaker that opens while the dependency is healthy.
    FalseTrips,
    /// RD22: waits without jitter.
    NoJitter,
    /// RD23: a probe that may hold its place for too long.
    HeldProbe,
    /// RD24: retries so long that the breaker hears of a recovery late.
    LateRecovery,
}

impl Code {
    /// Every code, in ascending order.
    pub const ALL: &'static [Self] = &[
        Self::Refused,
        Self::WorstTime,
        Self::WorstCalls,
        Self::ExtraLoad,
        Self::Layers,
        Self::Unbudgeted,
        Self::SlowBudget,
        Self::PartOfAToken,
        Self::WithoutEffect,
        Self::FalseTrips,
        Self::NoJitter,
        Self::HeldProbe,
        Self::LateRecovery,
    ];

    /// The code, such as `RD11`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "RD00",
            Self::WorstTime => "RD01",
            Self::WorstCalls => "RD02",
            Self::ExtraLoad => "RD04",
            Self::Layers => "RD10",
            Self::Unbudgeted => "RD11",
            Self::SlowBudget => "RD12",
            Self::PartOfAToken => "RD13",
            Self::WithoutEffect => "RD20",
            Self::FalseTrips => "RD21",
            Self::NoJitter => "RD22",
            Self::HeldProbe => "RD23",
            Self::LateRecovery => "RD24",
        }
    }

    /// What the check finds, in a few words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Refused => "A setting that is refused",
            Self::WorstTime => "How long a call takes at worst",
            Self::WorstCalls => "How many attempts a call makes at worst",
            Self::ExtraLoad => "How much load the retries add at worst",
            Self::Layers => "Attempts multiplied by those of other layers",
            Self::Unbudgeted => "Retries that no budget limits",
            Self::SlowBudget => "A budget that binds too late",
            Self::PartOfAToken => "A budget that holds less than one retry",
            Self::WithoutEffect => "A setting without effect",
            Self::FalseTrips => "A breaker that opens while the dependency is healthy",
            Self::NoJitter => "Waits without jitter",
            Self::HeldProbe => "A probe that holds its place for too long",
            Self::LateRecovery => "A breaker that hears of a recovery late",
        }
    }

    /// The address of the page that explains the check.
    #[must_use]
    pub const fn page(self) -> &'static str {
        macro_rules! page {
            ($anchor:literal) => {
                concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/guide/doctor.md#", $anchor)
            };
        }
        match self {
            Self::Refused => page!("rd00"),
            Self::WorstTime => page!("rd01"),
            Self::WorstCalls => page!("rd02"),
            Self::ExtraLoad => page!("rd04"),
            Self::Layers => page!("rd10"),
            Self::Unbudgeted => page!("rd11"),
            Self::SlowBudget => page!("rd12"),
            Self::PartOfAToken => page!("rd13"),
            Self::WithoutEffect => page!("rd20"),
            Self::FalseTrips => page!("rd21"),
            Self::NoJitter => page!("rd22"),
            Self::HeldProbe => page!("rd23"),
            Self::LateRecovery => page!("rd24"),
        }
    }

    /// Returns the code with this [name](Self::as_str), or `None`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
