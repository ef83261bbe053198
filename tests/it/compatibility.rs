//! `web/docs/compatibility.md`: the part of it that the registry says is written from the registry.

use deltaglider_proxy::http::s3::operation::{Probe, Verb};
use deltaglider_proxy::http::s3::registry::operations::{OPERATIONS, PLAIN_HEADERS, State};
use deltaglider_proxy::http::s3::registry::{Place, Standing, TABLE};
use std::fmt::Write;
use std::path::Path;

const BEGIN: &str =
    "<!-- From the registry; `UPDATE=1 cargo test --features faults --test it compatibility` writes it anew. -->";
const END: &str = "<!-- The end of what comes from the registry. -->";

fn page() -> String {
    let mut out = format!("{BEGIN}\n\n");
    let count = |wanted: fn(&State) -> bool| OPERATIONS.iter().filter(|row| wanted(&row.state)).count();
    let (honoured, probes) =
        (count(|s| matches!(s, State::Honoured(_) | State::Kept(..))), count(|s| matches!(s, State::Unconfigured(_))));
    let _ = write!(
        out,
        "## Operations\n\nOf the {} operations that AWS publishes, {honoured} are honoured, {probes} answer as for a bucket \
         that nobody configured, and {} are refused with 501 `NotImplemented`. None is ignored.\n\n\
         | Operation | State |\n|---|---|\n",
        OPERATIONS.len(),
        OPERATIONS.len() - honoured - probes
    );
    for row in OPERATIONS {
        let state = match row.state {
            State::Honoured(_) => "honoured".to_owned(),
            State::Kept(_, what) => format!("kept and given back; {what}"),
            State::Unconfigured(probe) => answered(probe),
            State::Refused { plan, .. } => format!("refused; {}", plan.words()),
        };
        let _ = writeln!(out, "| {} | {state} |", row.name);
    }
    for (title, place) in [("Query parameters", Place::Query), ("`x-amz-*` headers", Place::Header)] {
        let _ = write!(
            out,
            "\n## {title}\n\nThe first row that fits counts; `*` stands for any ending. What is not here is refused.\n\n\
             | Name | State |\n|---|---|\n"
        );
        for row in TABLE.iter().filter(|row| row.place == place) {
            let _ = writeln!(out, "| `{}` | {} |", row.name, state(row.standing));
        }
    }
    out += "\n## Other headers\n\n| Name | Meaning |\n|---|---|\n";
    for (name, meaning) in PLAIN_HEADERS {
        let _ = writeln!(out, "| `{name}` | {meaning} |");
    }
    out + "\n" + END
}

fn state(standing: Standing) -> String {
    let names = |verbs: &[Verb]| verbs.iter().map(|verb| verb.name()).collect::<Vec<_>>().join(", ");
    match standing {
        Standing::Honoured(verbs) => format!("honoured: {}", names(verbs)),
        Standing::Echoed(verbs) => format!("kept and given back: {}", names(verbs)),
        Standing::Noise => "changes nothing, as on AWS".to_owned(),
        Standing::Unconfigured(probe, what) => {
            format!("{}: {}; else refused: {what}", probe.name(), answered(probe))
        }
        Standing::Refused(what) => format!("refused: {what}"),
    }
}

fn answered(probe: Probe) -> String {
    match probe.shows() {
        Some(what) => format!("shows {what}; without any answered as not configured"),
        None => "answered as not configured".to_owned(),
    }
}

#[test]
fn the_compatibility_page_is_what_the_registry_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/docs/compatibility.md");
    let text = std::fs::read_to_string(&path).expect("the page is there");
    let (before, rest) = text.split_once(BEGIN).expect("the page has the mark at which the registry begins");
    let (_, after) = rest.split_once(END).expect("the page has the mark at which the registry ends");
    let wanted = format!("{before}{}{after}", page());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, wanted).expect("the page can be written");
        return;
    }
    assert!(
        text == wanted,
        "web/docs/compatibility.md is stale; run: UPDATE=1 cargo test --features faults --test it compatibility"
    );
}
