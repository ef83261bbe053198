//! The layer rules: who may name whom.

use super::Offence;
use super::source::{Named, Source};

/// Who may ask whom: each owner only those after it. The running system and these rules read one table.
pub fn ask_order(table: &Source) -> Vec<String> {
    let product =
        table.raw.iter().zip(&table.test).filter(|(line, test)| !**test && !line.trim_start().starts_with("//"));
    product.flat_map(|(line, _)| line.split('"').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// Names below `std::net` that are plain values.
const ADDRESSES: [&str; 7] =
    ["IpAddr", "Ipv4Addr", "Ipv6Addr", "SocketAddr", "SocketAddrV4", "SocketAddrV6", "AddrParseError"];

/// `domain` is pure: no runtime, no database, no file, no socket.
pub fn domain_is_pure(sources: &[Source]) -> Vec<Offence> {
    in_folder(sources, "actors/src/domain/", |named| {
        let path = named.path.as_str();
        let first = path.split("::").next().unwrap_or_default();
        let runtime = matches!(first, "tokio" | "rusqlite") || first.starts_with("actix");
        let files = path == "std::fs" || path.starts_with("std::fs::");
        let sockets = match path.strip_prefix("std::net") {
            Some("") => true,
            Some(rest) => !ADDRESSES.contains(&rest.trim_start_matches("::").split("::").next().unwrap_or_default()),
            None => false,
        };
        (runtime || files || sockets).then(|| {
            format!(
                "`{path}` in the domain: move what does I/O to storage, db, zipper or an owner and pass the value in"
            )
        })
    })
}

/// The stores know nothing of actors.
pub fn stores_name_no_actix(sources: &[Source]) -> Vec<Offence> {
    let mut offences = Vec::new();
    for folder in ["actors/src/storage/", "actors/src/db/", "actors/src/zipper/", "actors/src/disk/"] {
        offences.extend(in_folder(sources, folder, |named| {
            named.path.starts_with("actix").then(|| {
                format!("`{}` below the owners: return a plain value or future and let the actor wrap it", named.path)
            })
        }));
    }
    offences
}

/// The edge talks to handles, never to an actor's address.
pub fn edge_names_no_address(sources: &[Source], order: &[String]) -> Vec<Offence> {
    let mut offences = Vec::new();
    for source in sources.iter().filter(|s| s.path.starts_with("src/")) {
        for (line, text) in source.product() {
            let address = text
                .match_indices("Addr<")
                .any(|(at, _)| !text[..at].chars().next_back().is_some_and(super::source::is_ident));
            if address {
                offences.push(Offence::new(source, line, "`Addr<` in the edge: take the owner's handle instead"));
            }
        }
        for named in source.named().iter().filter(|n| !source.test[n.line]) {
            let mut parts = named.path.split("::");
            let owner = parts.next() == Some("actors") && parts.next().is_some_and(|p| order.iter().any(|o| o == p));
            if owner && matches!(parts.next(), Some("actor" | "state" | "messages")) {
                let what = format!("`{}` in the edge: only an owner's `handle` is for others", named.path);
                offences.push(Offence::new(source, named.line + 1, what));
            }
        }
    }
    offences
}

/// An owner's folder names another's only by the handle and what is listed as shared, and only downward in the ask order.
pub fn owners_ask_downward(sources: &[Source], order: &[String], shared: &[(&str, &str)]) -> Vec<Offence> {
    let mut offences = Vec::new();
    for (place, owner) in order.iter().enumerate() {
        offences.extend(in_folder(sources, &format!("actors/src/{owner}/"), |named| {
            let mut parts = named.path.split("::");
            let other = if parts.next() == Some("crate") { parts.next()? } else { return None };
            let other_place = order.iter().position(|o| o == other)?;
            if other == owner {
                return None;
            }
            let name = parts.next();
            let inside = named.path.trim_start_matches("crate::");
            let listed = |(path, _): &(&str, &str)| inside == *path || inside.starts_with(&format!("{path}::"));
            if !name.is_some_and(|n| n == "handle" || n.ends_with("Handle")) && !shared.iter().any(listed) {
                let what = "owners name one another only by the handle, or by what tests/tidy/lists.rs says is shared";
                return Some(format!("`{}`: {what}", named.path));
            }
            (other_place < place).then(|| {
                format!(
                    "`{}`: {owner} stands below {other} in the ask order; send the news upward without reply",
                    named.path
                )
            })
        }));
    }
    offences
}

/// Below the owners, imports run one way: domain ← disk ← storage, db, zipper ← kernel.
pub fn layers_import_downward(sources: &[Source], order: &[String]) -> Vec<Offence> {
    const LAYERS: [(&str, &[&str]); 6] = [
        ("domain", &["domain"]),
        ("disk", &["domain", "disk"]),
        ("storage", &["domain", "disk", "storage"]),
        ("db", &["domain", "disk", "db"]),
        ("zipper", &["domain", "disk", "zipper"]),
        ("kernel", &["domain", "disk", "storage", "db", "zipper", "kernel"]),
    ];
    let ours = |name: &str| LAYERS.iter().any(|(layer, _)| *layer == name) || order.iter().any(|o| o == name);
    let mut offences = Vec::new();
    for (layer, may) in LAYERS {
        offences.extend(in_folder(sources, &format!("actors/src/{layer}/"), |named| {
            let mut parts = named.path.split("::");
            let other = if parts.next() == Some("crate") { parts.next()? } else { return None };
            (ours(other) && !may.contains(&other)).then(|| {
                format!("`{}`: {layer} may name only {}; move the shared part down", named.path, may.join(", "))
            })
        }));
    }
    offences
}

/// Asks a question about every path that the product code of a folder names.
fn in_folder(sources: &[Source], folder: &str, ask: impl Fn(&Named) -> Option<String>) -> Vec<Offence> {
    let mut offences = Vec::new();
    for source in sources.iter().filter(|s| s.path.starts_with(folder)) {
        for named in source.named().iter().filter(|n| !source.test[n.line]) {
            if let Some(what) = ask(named) {
                offences.push(Offence::new(source, named.line + 1, what));
            }
        }
    }
    offences
}
