//! Log lines: text for people or one JSON object a line, on standard error.

use actors::domain::clock::Clock;
use actors::domain::config::model::LogFormat;
use std::io::Write;

/// Starts logging. A second call (tests in one process) changes nothing.
pub fn start(filter: &str, format: LogFormat) {
    let mut builder = env_logger::Builder::new();
    builder.parse_filters(filter);
    match format {
        LogFormat::Text => {
            builder.format_timestamp_millis();
        }
        LogFormat::Json => {
            builder.format(|out, record| {
                let line = serde_json::json!({
                    "at": Clock::system().now().rfc3339(),
                    "level": record.level().as_str().to_ascii_lowercase(),
                    "target": record.target(),
                    "message": record.args().to_string(),
                });
                writeln!(out, "{line}")
            });
        }
    }
    let _ = builder.try_init();
}
