//! Findings as workflow commands of GitHub Actions, which become annotations of the changed files.

use std::io::{self, Write};

use redress_doctor::Severity;

use super::Found;

pub(super) fn write(found: &[Found], out: &mut dyn Write) -> io::Result<()> {
    for found in found {
        let command = match found.finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            _ => "notice",
        };
        let place = found.position.map_or_else(String::new, |(line, column)| format!(",line={line},col={column}"));
        let (code, title) = (found.finding.code, found.finding.code.title());
        writeln!(
            out,
            "::{command} file={}{place},title={}::{}",
            property(&found.file),
            property(&format!("{code}: {title}")),
            data(&found.subject_and_message()),
        )?;
    }
    Ok(())
}

/// Escapes a message, as actions/toolkit's `escapeData` does.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property, as actions/toolkit's `escapeProperty` does.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{data, property};

    #[test]
    fn what_ends_a_command_or_a_property_is_escaped() {
        assert_eq!(data("50 %, a: b\r\n"), "50 %25, a: b%0D%0A");
        assert_eq!(property("c:\\a,b"), "c%3A\\a%2Cb");
    }
}
