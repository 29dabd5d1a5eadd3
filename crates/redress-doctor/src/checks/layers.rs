//! RD10: attempts multiplied by those of other layers.

use crate::circumstances::Layer;
use crate::code::Code;
use crate::finding::Finding;
use crate::subject::Subject;
use crate::words::grouped;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let repeating: Vec<&Layer> = subject.circumstances.layers.iter().filter(|layer| layer.attempts > 1).collect();
    if subject.retries() == 0 || repeating.is_empty() {
        return;
    }
    let own = u64::from(subject.worst.calls);
    let product = repeating.iter().fold(own, |product, layer| product.saturating_mul(layer.attempts.into()));
    let factors: Vec<_> = repeating.iter().map(|layer| format!("{} in {}", layer.attempts, layer.name)).collect();
    let why = format!(
        "{} attempts here, times {}, are {} requests for one call",
        grouped(own),
        factors.join(", times "),
        grouped(product),
    );
    let how = "retry in one layer, and set the others to one attempt";
    findings.push(Finding::warning(Code::Layers, "retry.max_attempts", why, how));
}
