//! Where calls give a token and continue from one. The only code of the crate that reads the wall
//! clock, beside the token itself.

use std::time::SystemTime;

use super::token::ResumeToken;
use crate::deadline::CallDeadline;
use crate::outcome::retry_outcome::RetryOutcome;
use crate::policy::context::CallContext;

/// The deferred call that a call continues.
#[derive(Clone, Copy)]
pub(crate) struct Resumed {
    pub(crate) token: ResumeToken,
    /// The token's wall deadline, from the start of this delivery.
    pub(crate) deadline: Option<CallDeadline>,
}

impl<T, E> RetryOutcome<T, E> {
    /// Returns the state from which `policy.resume(..)` continues the call, if its retry was
    /// [deferred](crate::StopReason::Scheduled); see [`resume`](crate::resume). Reads the wall
    /// clock, as the time of the deferral.
    #[must_use]
    pub fn resume_token(&self) -> Option<ResumeToken> {
        self.resume_token_at(SystemTime::now())
    }

    /// Like [`resume_token`](Self::resume_token), with `now` as the time of the deferral.
    #[must_use]
    pub fn resume_token_at(&self, now: SystemTime) -> Option<ResumeToken> {
        self.token.as_ref().map(|token| token.deferred_by(now))
    }
}

impl<P, N> CallContext<'_, P, N> {
    /// Makes each call continue the deferred call that gave this [token](crate::resume). If the
    /// token has a wall deadline, the time left is read here.
    pub fn resume(self, token: ResumeToken) -> Self {
        let deadline = token.time_left(SystemTime::now()).map(CallDeadline::After);
        self.set(|settings| settings.resumed = Some(Resumed { token, deadline }))
    }

    /// Resumes the call of the token with this text, if it is a recent one of this policy.
    pub(crate) fn resume_or_fresh(self, token: Option<&str>, policy: Option<&str>) -> Self {
        let token = token.and_then(|text| text.parse::<ResumeToken>().ok());
        match token.filter(|token| token.is_of(policy) && !token.is_stale(SystemTime::now())) {
            Some(token) => self.resume(token),
            None => self,
        }
    }
}
