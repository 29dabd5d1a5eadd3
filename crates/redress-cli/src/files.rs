//! stub
use crate::commands::Failed;
use crate::output::Found;
use redress_core::policy::PolicySpec;
use redress_doctor::{Circumstances, Finding};
use std::path::Path;
pub(crate) struct PolicyFile;
pub(crate) struct Entry<'f>(&'f PolicyFile, PolicySpec, Circumstances);
pub(crate) fn read(_: &Path) -> Result<Result<PolicyFile, Vec<Found>>, Failed> {
    Ok(Ok(PolicyFile))
}
pub(crate) fn schema() -> String {
    String::new()
}
impl PolicyFile {
    pub(crate) fn policies(&self) -> impl Iterator<Item = Entry<'_>> {
        [].into_iter()
    }
    pub(crate) fn policy(&self, _: Option<&str>) -> Result<Entry<'_>, Failed> {
        Err(Failed::Unclear(String::new()))
    }
}
impl Entry<'_> {
    pub(crate) fn name(&self) -> &str {
        ""
    }
    pub(crate) fn spec(&self) -> &PolicySpec {
        &self.1
    }
    pub(crate) fn circumstances(&self) -> &Circumstances {
        &self.2
    }
    pub(crate) fn locate(&self, finding: Finding) -> Found {
        Found { file: String::new(), position: None, setting: String::new(), finding }
    }
}
