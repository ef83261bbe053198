//! Typed values → the model: defaults filled in, and the rules that look at more than one key.

use super::admission;
use super::check::{Checker, Form, Found, Part, Section, Typed, typed};
use super::declared::IamMode;
use super::iam;
use super::model::{
    Access, Advanced, ArchiveLimits, Audit, Authentication, Backup, BackupTarget, Config, LogFormat, SecretRef, Tls,
    Webhook, WrittenPath, header_path,
};
use super::problem::Complaint;
use super::table;
use super::tree::Origin;
use crate::domain::names::BucketName;
use crate::domain::network::WrittenNetwork;
use crate::domain::stored::cron::Cron;
use crate::domain::stored::retention::Keep;
use core::net::SocketAddr;
use std::collections::BTreeMap;
use std::time::Duration;

/// Takes values out of a section, notes their origin, and falls back to the default of the table.
pub(super) struct Values<'a> {
    section: &'a Section,
    /// The origin of every value by its canonical path.
    pub origins: BTreeMap<String, Origin>,
    /// What was written, by canonical path, where `${env:…}` stands in it.
    pub written: BTreeMap<String, String>,
}

impl<'a> Values<'a> {
    pub(super) fn new(section: &'a Section) -> Self {
        Self { section, origins: BTreeMap::new(), written: BTreeMap::new() }
    }

    /// Everything that was found.
    pub(super) fn section(&self) -> &'a Section {
        self.section
    }

    /// The value as written, where it is.
    pub(super) fn found(&self, path: &str) -> Option<&'a Found> {
        self.section.values.get(path)
    }

    /// The items of a list or named map.
    pub(super) fn parts(&self, path: &str) -> &'a [Part] {
        self.section.parts.get(path).map_or(&[], Vec::as_slice)
    }

    /// True where the list or named map is written, be it empty.
    pub(super) fn is_listed(&self, path: &str) -> bool {
        self.section.parts.contains_key(path)
    }

    /// Notes where a value comes from, under its canonical path.
    pub(super) fn note(&mut self, path: impl Into<String>, found: &Found) {
        let path = path.into();
        if let Some(written) = &found.written {
            self.written.insert(path.clone(), written.clone());
        }
        self.origins.insert(path, found.origin.clone());
    }

    fn value(&mut self, path: &'static str) -> Option<Typed> {
        if let Some(found) = self.found(path) {
            self.note(path, found);
            return Some(found.typed.clone());
        }
        let key = table::key(path)?;
        self.origins.insert(path.to_owned(), Origin::Default);
        // A default that its own rule refuses would be lost here; the test of the table reads every one.
        typed(key.kind, key.default?).ok()
    }

    pub(super) fn text(&mut self, path: &'static str) -> Option<String> {
        match self.value(path)? {
            Typed::Text(text) => Some(text),
            _ => None,
        }
    }

    fn texts(&mut self, path: &'static str) -> Vec<String> {
        match self.value(path) {
            Some(Typed::Texts(texts)) => texts,
            _ => Vec::new(),
        }
    }

    fn paths(&mut self, path: &'static str) -> Vec<WrittenPath> {
        self.texts(path).into_iter().map(WrittenPath::new).collect()
    }

    fn count(&mut self, path: &'static str) -> u64 {
        match self.value(path) {
            Some(Typed::Count(number)) => number,
            _ => 0,
        }
    }

    fn size(&mut self, path: &'static str) -> usize {
        usize::try_from(self.count(path)).unwrap_or(usize::MAX)
    }

    fn duration(&mut self, path: &'static str) -> Duration {
        match self.value(path) {
            Some(Typed::Duration(duration)) => duration,
            _ => Duration::ZERO,
        }
    }

    fn flag(&mut self, path: &'static str) -> Option<bool> {
        match self.value(path)? {
            Typed::Flag(flag) => Some(flag),
            _ => None,
        }
    }

    fn path(&mut self, path: &'static str) -> Option<WrittenPath> {
        self.text(path).map(WrittenPath::new)
    }

    fn secret(&mut self, path: &'static str) -> Option<SecretRef> {
        match self.value(path)? {
            Typed::Secret(secret) => Some(secret),
            _ => None,
        }
    }
}

/// Builds everything but `storage`, which `storage` has built.
pub(super) fn config(
    values: &mut Values<'_>,
    storage: super::model::Storage,
    checker: &mut Checker<'_>,
    warnings: &mut Vec<String>,
) -> Config {
    let admission = admission::blocks(values, checker, warnings);
    let access = access(values, checker, warnings);
    let advanced = advanced(values, checker);
    let backup = backup(values, checker);
    Config { admission, access, storage, advanced, backup }
}

fn access(values: &mut Values<'_>, checker: &mut Checker<'_>, warnings: &mut Vec<String>) -> Access {
    let authentication = match values.text("access.authentication").as_deref() {
        Some("none") => Authentication::None,
        _ => Authentication::Required,
    };
    if authentication == Authentication::None {
        warnings.push("access.authentication is `none`: everybody who reaches the port may read and write".to_owned());
    }
    const ID: &str = "access.access_key_id";
    const SECRET: &str = "access.secret_access_key";
    // An archive keeps a literal secret in its keystore, beside the config.
    let whole = checker.form == Form::File;
    match (values.found(ID), values.found(SECRET)) {
        (Some(id), None) if whole && !checker.problems.iter().any(|problem| problem.path == SECRET) => {
            let complaint = Complaint::new("an access key id without its secret").suggest(format!("set {SECRET}, too"));
            checker.problem(ID, &id.origin, complaint);
        }
        (None, Some(secret)) if whole && !checker.problems.iter().any(|problem| problem.path == ID) => {
            let complaint = Complaint::new("a secret without its access key id").suggest(format!("set {ID}, too"));
            checker.problem(SECRET, &secret.origin, complaint);
        }
        _ => {}
    }
    let iam_mode = match values.text("access.iam_mode").as_deref() {
        Some("declarative") => IamMode::Declarative,
        _ => IamMode::Gui,
    };
    let iam = iam::declared(values, checker);
    if iam_mode == IamMode::Gui && !iam.is_empty() {
        warnings.push(
            "access.iam_mode is `gui`: the users, groups, providers and mapping rules of the file do nothing"
                .to_owned(),
        );
    }
    Access {
        authentication,
        access_key_id: values.text(ID),
        secret_access_key: values.secret(SECRET),
        reauth_window: values.duration("access.reauth_window"),
        session_lifetime: values.duration("access.session_lifetime"),
        session_idle: values.duration("access.session_idle"),
        sso_allowed_hosts: values.texts("access.sso_allowed_hosts"),
        iam_mode,
        iam,
    }
}

fn advanced(values: &mut Values<'_>, checker: &mut Checker<'_>) -> Advanced {
    Advanced {
        listen_addr: match values.value("advanced.listen_addr") {
            Some(Typed::Address(address)) => address,
            _ => SocketAddr::from(([127, 0, 0, 1], 9000)),
        },
        tls: tls(values, checker),
        log_level: values.text("advanced.log_level").unwrap_or_default(),
        log_format: match values.text("advanced.log_format").as_deref() {
            Some("json") => LogFormat::Json,
            _ => LogFormat::Text,
        },
        bootstrap_password_hash: values.secret("advanced.bootstrap_password_hash"),
        data_roots: values.paths("advanced.data_roots"),
        secret_roots: values.paths("advanced.secret_roots"),
        clock_skew: Duration::from_secs(values.count("advanced.clock_skew_seconds")),
        auth_sigv2_post: values.flag("advanced.auth_sigv2_post").unwrap_or_default(),
        region: values.text("advanced.region"),
        public_url: values.text("advanced.public_url").map(|url| url.trim_end_matches('/').to_owned()),
        domains: values.texts("advanced.domains"),
        console_host: values.text("advanced.console_host"),
        trusted_proxies: networks(&values.texts("advanced.trusted_proxies")),
        max_requests: values.size("advanced.max_requests"),
        idle_timeout: values.duration("advanced.idle_timeout"),
        audit: Audit {
            keep_rows: values.count("advanced.audit.keep_rows"),
            keep_days: Some(values.count("advanced.audit.keep_days")).filter(|days| *days > 0),
            file: values.path("advanced.audit.file"),
            webhook: webhook(values, checker),
        },
    }
}

fn webhook(values: &mut Values<'_>, checker: &mut Checker<'_>) -> Option<Webhook> {
    const URL: &str = "advanced.audit.webhook.url";
    const HEADERS: &str = "advanced.audit.webhook.headers";
    let mut headers = BTreeMap::new();
    for part in values.parts(HEADERS) {
        let get = |key: &str| part.section.values.get(format!("{HEADERS}[].{key}").as_str());
        let name = match get("name").map(|found| &found.typed) {
            Some(Typed::Text(name)) => name.clone(),
            _ => {
                missing(checker, part, "name");
                continue;
            }
        };
        let value = get("value");
        // An archive keeps a literal in its keystore.
        if value.is_none() && checker.form == Form::File {
            missing(checker, part, "value");
        }
        if let Some(found) = value {
            values.note(header_path(&name), found);
        }
        let secret = match value.map(|found| &found.typed) {
            Some(Typed::Secret(secret)) => Some(secret.clone()),
            _ => None,
        };
        if headers.insert(name.clone(), secret).is_some() {
            checker.problem(&part.shown, &part.origin, Complaint::new(format!("the header `{name}` is here twice")));
        }
    }
    match values.text(URL) {
        Some(url) => Some(Webhook { url, headers }),
        None => {
            if let Some(part) = values.parts(HEADERS).first() {
                let complaint = Complaint::new("headers without an address").suggest(format!("set {URL}, too"));
                checker.problem(HEADERS, &part.origin, complaint);
            }
            None
        }
    }
}

/// Says that a key of an item is missing, unless it is there and has a problem of its own.
fn missing(checker: &mut Checker<'_>, part: &Part, key: &str) {
    let path = format!("{}.{key}", part.shown);
    if !checker.problems.iter().any(|problem| problem.path == path) {
        checker.problem(&part.shown, &part.origin, Complaint::new(format!("the key `{key}` is missing")));
    }
}

/// The table has checked each.
fn networks(texts: &[String]) -> Vec<WrittenNetwork> {
    texts.iter().filter_map(|text| WrittenNetwork::parse(text)).collect()
}

fn tls(values: &mut Values<'_>, checker: &mut Checker<'_>) -> Tls {
    const CERT: &str = "advanced.tls.cert_path";
    const KEY: &str = "advanced.tls.key_path";
    for (one, other) in [(CERT, KEY), (KEY, CERT)] {
        if let (Some(found), None) = (values.found(one), values.found(other))
            && !checker.problems.iter().any(|problem| problem.path == other)
        {
            let complaint = Complaint::new("one half of a pair").suggest(format!("set {other}, too"));
            checker.problem(one, &found.origin, complaint);
        }
    }
    Tls { enabled: values.flag("advanced.tls.enabled"), cert_path: values.path(CERT), key_path: values.path(KEY) }
}

fn backup(values: &mut Values<'_>, checker: &mut Checker<'_>) -> Backup {
    let limits = ArchiveLimits {
        body: values.count("backup.limits.body"),
        entry: values.count("backup.limits.entry"),
        total: values.count("backup.limits.total"),
        entries: values.size("backup.limits.entries"),
        ratio: values.count("backup.limits.ratio"),
    };
    if limits.entry > limits.total {
        let found = values.found("backup.limits.entry").or_else(|| values.found("backup.limits.total"));
        let origin = found.map(|found| found.origin.clone()).unwrap_or_default();
        let complaint = Complaint::new("one entry may weigh more than all together");
        checker.problem("backup.limits.entry", &origin, complaint.suggest("raise backup.limits.total"));
    }
    let to = backup_target(values, checker);
    let plaintext_in_bucket = values.flag("backup.plaintext_in_bucket").unwrap_or_default();
    let recipients = values.texts("backup.recipients");
    if matches!(to, Some(BackupTarget::Bucket { .. })) && recipients.is_empty() && !plaintext_in_bucket {
        let origin = values.found("backup.to.bucket").map(|found| found.origin.clone()).unwrap_or_default();
        let complaint = Complaint::new("a backup that is not encrypted is a keystore in plain text");
        let complaint = complaint.suggest("set backup.recipients, or backup.plaintext_in_bucket: true");
        checker.problem("backup.to.bucket", &origin, complaint);
    }
    let number = |values: &mut Values<'_>, path| values.found(path).is_some().then(|| values.count(path));
    Backup {
        // The rule has read it already.
        schedule: values.text("backup.schedule").and_then(|text| Cron::parse(&text).ok()),
        on_change: values.found("backup.on_change").is_some().then(|| values.duration("backup.on_change")),
        to,
        keep: Keep { last: number(values, "backup.keep.last"), days: number(values, "backup.keep.days") },
        verify: values.flag("backup.verify").unwrap_or(true),
        plaintext_in_bucket,
        recipients,
        trusted_signers: values.texts("backup.trusted_signers"),
        limits,
    }
}

/// Where backups go: one place, and none only where nothing is ever stored.
fn backup_target(values: &mut Values<'_>, checker: &mut Checker<'_>) -> Option<BackupTarget> {
    const DIRECTORY: &str = "backup.to.directory";
    const BUCKET: &str = "backup.to.bucket";
    const PREFIX: &str = "backup.to.prefix";
    let (directory, bucket, prefix) = (values.path(DIRECTORY), values.text(BUCKET), values.text(PREFIX));
    let origin = |path| values.found(path).map(|found| found.origin.clone()).unwrap_or_default();
    if directory.is_some() && bucket.is_some() {
        let complaint =
            Complaint::new("backups go to one place").suggest("set backup.to.directory or backup.to.bucket");
        checker.problem(BUCKET, &origin(BUCKET), complaint);
    }
    if prefix.is_some() && bucket.is_none() && !checker.problems.iter().any(|problem| problem.path == BUCKET) {
        let complaint = Complaint::new("a prefix without its bucket").suggest("set backup.to.bucket, too");
        checker.problem(PREFIX, &origin(PREFIX), complaint);
    }
    let refused = checker.problems.iter().any(|problem| problem.path.starts_with("backup.to"));
    if directory.is_none() && bucket.is_none() && !refused {
        for path in ["backup.schedule", "backup.on_change"] {
            if values.found(path).is_some() {
                let complaint = Complaint::new("says when, and nothing says where to");
                checker.problem(path, &origin(path), complaint.suggest("set backup.to.directory or backup.to.bucket"));
            }
        }
    }
    let mut prefix = prefix.unwrap_or_default();
    if !prefix.is_empty() && !prefix.ends_with('/') {
        prefix.push('/');
    }
    match directory {
        Some(directory) => Some(BackupTarget::Directory(directory)),
        None => Some(BackupTarget::Bucket { bucket: BucketName::new(&bucket?).ok()?, prefix }),
    }
}
