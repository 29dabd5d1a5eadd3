//! The table of gRPC statuses, and how a name becomes a status.
//!
//! `grpc_differences.rs` lists the intended differences.

use std::time::SystemTime;

use redress_core::ErrorClass;
use redress_tonic::grpc_classifier;
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::Value;
use tonic::{Code, Status};

use super::difference::listed;
use super::named::Named;
use super::{Judged, Judgement, read_row};
use crate::class_name::ClassName;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    status: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    class: ClassName,
}

pub(super) fn judge(row: &Value, _now: SystemTime) -> Result<Judged, serde_json::Error> {
    let (input, expect): (Input, Expect) = read_row(row)?;
    let ours = match &input.status {
        Some(name) => class_of(name).ok_or_else(|| serde_json::Error::custom(format!("`{name}` is not a status")))?,
        None => {
            let without_status = Named { name: "RpcError".to_owned(), source: None };
            grpc_classifier().classify_error(&without_status).class()
        }
    };
    let (original, ours) = (expect.class.0.as_str(), ours.as_str());
    let status = input.status.as_deref().unwrap_or("none");
    let judgement = if original == ours {
        Judgement::AsOriginal
    } else {
        let intended = listed("grpc", status, original, ours);
        intended.map_or_else(|| Judgement::Wrong(ours.to_owned()), Judgement::Intended)
    };
    Ok(Judged::of_one(judgement, status, original, ours))
}

/// Our answer to the example of a difference.
pub(super) fn answer(example: &str) -> Option<String> {
    class_of(example).map(|class| class.to_string())
}

/// Our class for the status of this name, if there is one.
fn class_of(name: &str) -> Option<ErrorClass> {
    let code = (0..=16).map(Code::from_i32).find(|code| format!("{code:?}").to_uppercase() == name.replace('_', ""))?;
    Some(grpc_classifier().classify_error(&Status::new(code, "failed")).class())
}
