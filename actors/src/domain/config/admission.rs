//! The `admission` section: blocks from what was written, and back.

use super::build::Values;
use super::check::{Checker, Found, Part, Typed};
use super::problem::Complaint;
use super::scalar::escape;
use super::tree::{Node, Value};
use crate::domain::admission::{Action, Block, Match, PathGlob};
use crate::domain::names::BucketName;
use crate::domain::network::WrittenNetwork;
use std::collections::{BTreeMap, BTreeSet};

const BLOCKS: &str = "admission.blocks";
/// The most networks of one block.
const MOST_NETWORKS: usize = 4096;

/// Builds the blocks; what they cannot mean is a problem, what they will never do a warning.
pub(super) fn blocks(values: &mut Values<'_>, checker: &mut Checker<'_>, warnings: &mut Vec<String>) -> Vec<Block> {
    let (mut blocks, mut names) = (Vec::new(), BTreeSet::new());
    for (index, part) in values.parts(BLOCKS).iter().enumerate() {
        let mut reader = Reader { part, checker: &mut *checker };
        let Some(block) = reader.block() else { continue };
        for (path, found) in part.section.values.iter().filter(|(_, found)| found.written.is_some()) {
            // Both ways to say where a request comes from are written as one.
            let key = path.trim_start_matches("admission.blocks[].").replace("source_ip_list", "source_ip");
            values.note(format!("{BLOCKS}.{index}.{key}"), found);
        }
        if !names.insert(block.name.clone()) {
            let complaint = Complaint::new(format!("another block is named `{}`", block.name));
            checker.problem(&format!("{}.name", part.shown), &part.origin, complaint.suggest("rename one of them"));
        }
        let (name, never) = (&block.name, "so the block never matches");
        if let Some(flag) = &block.matches.config_flag {
            warnings.push(format!("admission block `{name}` waits for `{flag}`, a switch that is never on, {never}"));
        }
        if block.action == Action::AllowAnonymous && block.matches.authenticated == Some(true) {
            warnings.push(format!("admission block `{name}` allows without credentials what brings them, {never}"));
        }
        blocks.push(block);
    }
    blocks
}

/// One block, as it is read.
struct Reader<'a, 'c, 'e> {
    part: &'a Part,
    checker: &'c mut Checker<'e>,
}

impl<'a> Reader<'a, '_, '_> {
    fn block(&mut self) -> Option<Block> {
        for key in ["name", "action"] {
            let there = self.found(key).is_some() || key == "action" && self.found("action.type").is_some();
            if !there && !self.has_problem(key) {
                self.complain("", Complaint::new(format!("the key `{key}` is missing")));
            }
        }
        let name = self.text("name")?.to_owned();
        let action = self.action()?;
        let matches = Match {
            methods: self.texts("match.method").iter().map(|method| method.to_ascii_uppercase()).collect(),
            operations: self.texts("match.operation").to_vec(),
            networks: self.networks(),
            bucket: self.bucket(),
            path: self.text("match.path_glob").and_then(|text| PathGlob::parse(text).ok()),
            authenticated: match self.found("match.authenticated").map(|found| &found.typed) {
                Some(Typed::Flag(flag)) => Some(*flag),
                _ => None,
            },
            config_flag: self.text("match.config_flag").map(str::to_owned),
        };
        Some(Block { name, matches, action })
    }

    fn action(&mut self) -> Option<Action> {
        let word = self.text("action").or_else(|| self.text("action.type"))?;
        let status = match self.found("action.status").map(|found| &found.typed) {
            Some(Typed::Count(status)) => u16::try_from(*status).ok(),
            _ => None,
        };
        let message = self.text("action.message").map(str::to_owned);
        match word {
            "reject" => {
                if status.is_none() && !self.has_problem("action.status") {
                    let complaint = Complaint::new("`reject` needs a status");
                    self.complain("action", complaint.suggest("write `{type: reject, status: 503, message: …}`"));
                }
                return Some(Action::Reject { status: status?, message });
            }
            _ if status.is_some() || message.is_some() => {
                let complaint = Complaint::new(format!("`{word}` has neither a status nor a message"));
                self.complain("action", complaint.suggest("use `reject` for an answer of your own"));
            }
            _ => {}
        }
        Some(match word {
            "allow-anonymous" => Action::AllowAnonymous,
            "continue" => Action::Continue,
            _ => Action::Deny,
        })
    }

    fn networks(&mut self) -> Vec<WrittenNetwork> {
        let (one, several) = (self.text("match.source_ip"), self.found("match.source_ip_list"));
        let list = self.texts("match.source_ip_list");
        if one.is_some() && several.is_some() {
            let complaint = Complaint::new("`source_ip` is here, too; a block has one of them");
            self.complain("match.source_ip_list", complaint.suggest("put every network into the list"));
        }
        if several.is_some() && list.is_empty() {
            let complaint = Complaint::new("the list names no network").suggest("remove the key or list one");
            self.complain("match.source_ip_list", complaint);
        }
        if list.len() > MOST_NETWORKS {
            let complaint = Complaint::new(format!("the list names more than {MOST_NETWORKS} networks"));
            self.complain("match.source_ip_list", complaint.suggest("name larger networks, or make several blocks"));
        }
        list.iter().map(String::as_str).chain(one).filter_map(WrittenNetwork::parse).collect()
    }

    /// Older files may have it in any case.
    fn bucket(&mut self) -> Option<BucketName> {
        let name = BucketName::new(&self.text("match.bucket")?.to_ascii_lowercase());
        if let Err(error) = &name {
            let complaint = Complaint::new(error.message()).suggest(error.hint().unwrap_or_default());
            self.complain("match.bucket", complaint);
        }
        name.ok()
    }

    fn found(&self, key: &str) -> Option<&'a Found> {
        self.part.section.values.get(format!("{BLOCKS}[].{key}").as_str())
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        match &self.found(key)?.typed {
            Typed::Text(text) => Some(text),
            _ => None,
        }
    }

    fn texts(&self, key: &str) -> &'a [String] {
        match self.found(key).map(|found| &found.typed) {
            Some(Typed::Texts(texts)) => texts,
            _ => &[],
        }
    }

    fn path(&self, key: &str) -> String {
        if key.is_empty() { self.part.shown.clone() } else { format!("{}.{key}", self.part.shown) }
    }

    /// A key that is there with a problem of its own is not missing.
    fn has_problem(&self, key: &str) -> bool {
        let path = self.path(key);
        self.checker.problems.iter().any(|problem| problem.path.starts_with(&path))
    }

    fn complain(&mut self, key: &str, complaint: Complaint) {
        let origin = self.found(key).map_or(&self.part.origin, |found| &found.origin);
        self.checker.problem(&self.path(key), origin, complaint);
    }
}

/// The blocks as they are written. In an archive, too, `source_ip` keeps its variables.
pub(super) fn to_node(blocks: &[Block], written: &BTreeMap<String, String>) -> Node {
    let block = |(index, block): (usize, &Block)| {
        let writer = Writer { index, written };
        let mut matches = Node::map();
        let about = &block.matches;
        writer.list(&mut matches, "method", "method", about.methods.iter().map(String::as_str));
        writer.list(&mut matches, "operation", "operation", about.operations.iter().map(String::as_str));
        let networks = about.networks.iter().map(WrittenNetwork::as_str);
        writer.list(&mut matches, "source_ip_list", "source_ip", networks);
        writer.text(&mut matches, "bucket", about.bucket.as_ref().map(BucketName::as_str));
        writer.text(&mut matches, "path_glob", about.path.as_ref().map(PathGlob::as_str));
        if let Some(flag) = about.authenticated {
            matches.set(&["authenticated"], Node::plain(flag));
        }
        writer.text(&mut matches, "config_flag", about.config_flag.as_deref());
        let mut node = Node::map().with("name", Node::text(escape(&block.name)));
        if !matches.entries().is_empty() {
            node = node.with("match", matches);
        }
        let action = match &block.action {
            Action::Reject { status, message } => {
                let action = Node::map().with("type", Node::text("reject")).with("status", Node::plain(status));
                match message {
                    Some(message) => action.with("message", Node::text(writer.own("action.message", message))),
                    None => action,
                }
            }
            action => Node::text(action.word()),
        };
        node.with("action", action)
    };
    Node::new(Value::List(blocks.iter().enumerate().map(block).collect()))
}

/// Writes what stood there with `${env:…}` in it as it stood.
struct Writer<'w> {
    index: usize,
    written: &'w BTreeMap<String, String>,
}

impl Writer<'_> {
    fn own(&self, key: &str, text: &str) -> String {
        let own = self.written.get(&format!("{BLOCKS}.{}.{key}", self.index));
        own.cloned().unwrap_or_else(|| escape(text))
    }

    fn text(&self, into: &mut Node, key: &str, text: Option<&str>) {
        if let Some(text) = text {
            into.set(&[key], Node::text(self.own(&format!("match.{key}"), text)));
        }
    }

    fn list<'t>(&self, into: &mut Node, key: &str, noted: &str, texts: impl Iterator<Item = &'t str>) {
        let items: Vec<Node> = match self.written.get(&format!("{BLOCKS}.{}.match.{noted}", self.index)) {
            Some(written) => written.lines().map(Node::text).collect(),
            None => texts.map(|text| Node::text(escape(text))).collect(),
        };
        if !items.is_empty() {
            into.set(&[key], Node::new(Value::List(items)));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::admission::Action;
    use crate::domain::config::load::load;
    use crate::domain::config::scalar::Environment;

    /// A file of the interface that is in use elsewhere.
    const EXISTING: &str = "admission:
  blocks:
    - name: block-bad-ips
      match:
        source_ip_list: [203.0.113.0/24, \"2001:db8::1\"]
      action: deny
    - name: maintenance
      match:
        method: [put, POST, DELETE]
        config_flag: maintenance_mode
      action:
        type: reject
        status: 503
        message: Down for maintenance
    - name: office
      match:
        source_ip: 198.51.100.7
        bucket: Releases
        path_glob: \"v*/**\"
        authenticated: false
      action: allow-anonymous
    - name: rest
      action: {type: continue}
";

    fn problem(blocks: &str) -> String {
        let problems = load(&format!("admission:\n  blocks:\n{blocks}"), &Environment::new()).unwrap_err();
        assert_eq!(problems.0.len(), 1, "{problems}");
        problems.0[0].to_string()
    }

    #[test]
    fn an_existing_file_loads() {
        let loaded = load(EXISTING, &Environment::new()).unwrap();
        let blocks = &loaded.config.admission;
        let names: Vec<&str> = blocks.iter().map(|block| block.name.as_str()).collect();
        assert_eq!(names, ["block-bad-ips", "maintenance", "office", "rest"]);
        assert_eq!(blocks[1].matches.methods, ["PUT", "POST", "DELETE"]);
        let reject = Action::Reject { status: 503, message: Some("Down for maintenance".into()) };
        assert_eq!(
            (&blocks[0].action, &blocks[1].action, &blocks[3].action),
            (&Action::Deny, &reject, &Action::Continue)
        );
        assert_eq!(blocks[2].matches.bucket.as_ref().map(|bucket| bucket.as_str()), Some("releases"));
        assert_eq!((blocks[2].matches.networks.len(), blocks[2].matches.authenticated), (1, Some(false)));
        assert!(loaded.warnings.iter().any(|warning| warning.contains("`maintenance`")), "{:?}", loaded.warnings);
    }

    #[test]
    fn what_a_block_cannot_mean_is_a_problem_with_its_place() {
        for (blocks, expected) in [
            ("    - {action: deny}\n", "admission.blocks[0]: the key `name` is missing"),
            ("    - {name: a}\n", "admission.blocks[0]: the key `action` is missing"),
            ("    - {name: a, action: denny}\n", "did you mean"),
            ("    - {name: a, action: reject}\n", "`reject` needs a status"),
            ("    - {name: a, action: {type: reject, status: 200}}\n", "use 400 to 599"),
            ("    - {name: a, action: {type: deny, status: 403}}\n", "neither a status nor a message"),
            ("    - {name: a, action: deny}\n    - {name: a, action: deny}\n", "another block is named `a`"),
            ("    - {name: a, action: deny, match: {sourceip: 1.1.1.1}}\n", "did you mean `source_ip`"),
            ("    - {name: a, action: deny, match: {source_ip: 1.1.1.1, source_ip_list: [1.1.1.2]}}\n", "one of them"),
            ("    - {name: a, action: deny, match: {source_ip_list: []}}\n", "names no network"),
            ("    - {name: a, action: deny, match: {method: [FETCH]}}\n", "is no method"),
            ("    - {name: a, action: deny, match: {bucket: a_b}}\n", "not valid"),
            ("    - {name: a, action: deny, match: {path_glob: \"[a\"}}\n", "path_glob"),
            ("    - {name: \"public-prefix:a\", action: deny}\n", "kept for public prefixes"),
        ] {
            let problem = problem(blocks);
            assert!(problem.contains(expected), "{blocks}: {problem}");
        }
    }
}
