//! What a change of the config amounts to: the next config file and state, what moves out of sight, and what refuses it.

use crate::backup::blocking;
use crate::backup::configure::{OPERATION, opener};
use crate::backup::files::config_text;
use crate::backup::handle::Tools;
use crate::backup::messages::{ConfigEdit, Configuration, RootMeans};
use crate::config::roots;
use crate::domain::change::StateChange;
use crate::domain::config::edit::{BackendEdit, buckets_of};
use crate::domain::config::model::{Backend, BackendKind, S3Account, SecretRef, Storage};
use crate::domain::config::problem::Problems;
use crate::domain::config::reschedule::{self, ScheduleEdit};
use crate::domain::config::routing::routes;
use crate::domain::config::upstream::secret_path;
use crate::domain::config::{Loaded, canonical, load};
use crate::domain::names::BackendName;
use crate::domain::state::{ConfigRevision, State};
use crate::storage::look::{Look, LookState};
use crate::system::stores::{Configured, Opener};
use crate::system::view::SystemView;
use crate::{Error, ErrorKind, Result};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What a plan shows of a secret.
const HIDDEN: &str = "(hidden)";

/// What is to be.
pub(super) struct Plan {
    pub(super) state: State,
    pub(super) config: Loaded,
    /// The config file's next text.
    pub(super) text: String,
    /// What relative paths count from then.
    pub(super) base: PathBuf,
    /// The place that is to be opened.
    pub(super) opens: Option<Opens>,
    /// The changed fields: path, before, after, reload class.
    changes: Vec<Value>,
    moved: Vec<Value>,
    warnings: Vec<String>,
    file: String,
}

/// A place that is to be opened.
pub(super) struct Opens {
    pub(super) look: Look,
}

impl Plan {
    /// Everything is as it is asked for.
    pub(super) fn nothing_to_do(&self) -> bool {
        self.changes.is_empty()
    }

    /// The plan as the API shows it.
    pub(super) fn answer(&self, applied: bool, version: &str) -> Value {
        let probe = self.opens.as_ref().map(|opens| shown(&opens.look));
        json!({
            "applied": applied,
            "generation": version,
            "changes": self.changes,
            "buckets_moved": self.moved,
            "probe": probe,
            "config_file": self.file,
            "warnings": self.warnings,
        })
    }
}

/// A look, as the API shows it.
pub(super) fn shown(look: &Look) -> Value {
    let Look { state, backend_id, buckets, message } = look;
    json!({"state": state.word(), "backend_id": backend_id, "buckets": buckets, "message": message})
}

/// Makes the plan, or says what refuses it.
pub(super) async fn make(tools: &Tools, view: &SystemView, own: &Loaded, asked: Configuration) -> Result<Plan> {
    let Configuration { edit, root, who, .. } = asked;
    match edit {
        ConfigEdit::Backend(edit) => of_backend(tools, view, own, edit, root, who).await,
        ConfigEdit::Schedule(edit) => of_schedule(tools, view, own, edit, who).await,
    }
}

/// The plan of a change of when and where backups are stored.
async fn of_schedule(tools: &Tools, view: &SystemView, own: &Loaded, edit: ScheduleEdit, who: String) -> Result<Plan> {
    let (mut state, mut next) = (State::clone(&view.state), own.clone());
    edit.apply(&mut next);
    state.secrets.extend(canonical::literal_secrets(&next.config));
    let (planner, before) = (tools.clone(), own.clone());
    let (config, text, base) = blocking(move || next_file(&planner, &before, next)).await?;
    let changes = reschedule::changes(&own.config.backup, &config.config.backup);
    if !changes.is_empty() {
        recorded(tools, &mut state, who, &text)?;
    }
    let (warnings, file) = (config.warnings.clone(), tools.host.config_file.path.display().to_string());
    Ok(Plan { state, config, text, base, opens: None, changes, moved: Vec::new(), warnings, file })
}

/// Puts the next file into the history, as the next generation.
fn recorded(tools: &Tools, state: &mut State, who: String, text: &str) -> Result<()> {
    let revision = ConfigRevision { number: 0, at: tools.clock.now(), actor: who, yaml: text.to_owned() };
    StateChange::RecordConfig(revision).apply(state, tools.clock.now())?;
    state.meta.generation += 1;
    Ok(())
}

/// The plan of a change of the backends.
async fn of_backend(
    tools: &Tools,
    view: &SystemView,
    own: &Loaded,
    edit: BackendEdit,
    root: RootMeans,
    who: String,
) -> Result<Plan> {
    let name = edit.name().clone();
    let kind = edit.opens(&own.config.storage);
    let (mut state, removes) = (State::clone(&view.state), matches!(edit, BackendEdit::Remove { .. }));
    if matches!(edit, BackendEdit::Add { .. } | BackendEdit::Remove { .. }) {
        // A name says nothing of what bore it before.
        state.backends.remove(&name);
    }
    if removes {
        state.secrets.remove(&secret_path(&name));
    }
    let mut next = own.clone();
    edit.apply(&mut next, &view.state.buckets)?;
    // Of what is in force, and of what is asked for: the file that is written refers to them.
    state.secrets.extend(canonical::literal_secrets(&next.config));
    let rekeyed = is_rekeyed(own, &next, view, &name);
    for (name, backend) in &mut next.config.storage.backends {
        if let BackendKind::S3(S3Account { secret_access_key: Some(secret @ SecretRef::Literal(_)), .. }) =
            &mut backend.kind
        {
            *secret = SecretRef::Stored(secret_path(name));
        }
    }
    let (planner, before) = (tools.clone(), own.clone());
    let (config, text, base) = blocking(move || next_file(&planner, &before, next)).await?;
    let opens = match kind {
        Some(_) => Some(look(tools, view, &mut state, &name, &config, &base, root).await?),
        None => None,
    };
    let mut changes = changes(&own.config.storage, &config.config.storage);
    if rekeyed {
        changes.push(json!({"path": secret_path(&name), "from": HIDDEN, "to": HIDDEN, "reload": "reconnect"}));
    }
    if !changes.is_empty() {
        recorded(tools, &mut state, who, &text)?;
    }
    let moved = match opens {
        Some(_) if !removes && places(own, &config, &name, &base) => moved(tools, view, &name).await,
        _ => Vec::new(),
    };
    let mut warnings = config.warnings.clone();
    warnings.extend(opens.as_ref().filter(|opens| opens.look.state == LookState::Ready).map(|opens| {
        let buckets = opens.look.buckets.unwrap_or_default();
        format!("{}, with {buckets} bucket(s): those that are not known yet are adopted", opens.look.message)
    }));
    let file = tools.host.config_file.path.display().to_string();
    Ok(Plan { state, config, text, base, opens, changes, moved, warnings, file })
}

/// Whether a backend's place is another one than before.
fn places(own: &Loaded, next: &Loaded, name: &BackendName, base: &Path) -> bool {
    let place = |loaded: &Loaded| loaded.config.storage.backends.get(name).map(|backend| backend.kind.place(base));
    place(own) != place(next)
}

/// Whether the account of a backend gets another secret. None that is in a config was given by a call.
fn is_rekeyed(own: &Loaded, next: &Loaded, view: &SystemView, name: &BackendName) -> bool {
    let secret = |loaded: &Loaded| match loaded.config.storage.backends.get(name).map(|backend| &backend.kind) {
        Some(BackendKind::S3(account)) => account.secret_access_key.clone(),
        _ => None,
    };
    match (secret(next), secret(own)) {
        (Some(SecretRef::Literal(next)), Some(SecretRef::Stored(own))) => view.state.secrets.get(&own) != Some(&next),
        (Some(SecretRef::Literal(next)), Some(SecretRef::Literal(own))) => next != own,
        (Some(SecretRef::Literal(_)), _) => true,
        _ => false,
    }
}

/// The next text of the config file and what a start would make of it, checked against this host.
fn next_file(tools: &Tools, own: &Loaded, next: Loaded) -> Result<(Loaded, String, PathBuf)> {
    let host = &tools.host;
    let (wanted, text) = config_text(tools, next);
    host.config_writable(Some(&text))?;
    let read = load::load(&text, &host.environment).map_err(|problems| refused("config_invalid", &problems))?;
    let base = host.restored_base();
    let same = read.config.storage == wanted.config.storage && read.config.backup == wanted.config.backup;
    if !same {
        let variables: Vec<&str> =
            host.environment.keys().map(String::as_str).filter(|name| name.starts_with("DGP_")).collect();
        let message =
            format!("the environment overrides what this would change ({}); nothing was changed", variables.join(", "));
        return Err(Error::new(ErrorKind::Conflict, OPERATION, message)
            .with_code("shadowed_by_environment")
            .with_hint("take the variable of `storage` or `backup` away and restart, then change it here"));
    }
    stays(own, &read, &host.config_base(), &base)?;
    let problems = roots::check(&read, &base, host.config_file.path.parent(), &host.state_dir);
    if !problems.is_empty() {
        return Err(refused("backend_root_refused", &Problems(problems)));
    }
    Ok((read, text, base))
}

/// Refuses where a relative path would count from elsewhere from then on, and move a backend that is not meant.
fn stays(own: &Loaded, next: &Loaded, from: &Path, to: &Path) -> Result<()> {
    let resolved = |loaded: &Loaded, name: &BackendName, base: &Path| {
        let path = loaded.config.storage.backends.get(name)?.kind.directory()?;
        Some((path.as_str().to_owned(), path.resolve(base)))
    };
    for name in own.config.storage.backends.keys() {
        let (Some((was, before)), Some((is, after))) = (resolved(own, name, from), resolved(next, name, to)) else {
            continue;
        };
        if was == is && before != after {
            let message = format!(
                "`{was}` of backend `{name}` would be {} instead of {} from then on; nothing was changed",
                after.display(),
                before.display()
            );
            return Err(Error::new(ErrorKind::Conflict, OPERATION, message)
                .with_code("config_unfit")
                .with_hint("give an absolute path where the relative one stands, and restart"));
        }
    }
    Ok(())
}

/// Looks at the place, and refuses what is not as it should be unless the means are given.
async fn look(
    tools: &Tools,
    view: &SystemView,
    state: &mut State,
    name: &BackendName,
    config: &Loaded,
    base: &Path,
    means: RootMeans,
) -> Result<Opens> {
    let backend = config.config.storage.backends.get(name);
    let backend = backend.ok_or_else(|| Error::internal(OPERATION, "the backend to open is not in the plan"))?;
    let opener = Opener { base: base.to_owned(), ..opener(tools) };
    let look = opener.look(Configured { name, backend, config: &config.config, state }).await?;
    let refuse = |code: &'static str, hint: &str| {
        let message = format!("{}; nothing was changed", look.message);
        Err(Error::new(ErrorKind::Conflict, OPERATION, message).with_code(code).with_hint(hint))
    };
    match look.state {
        LookState::Unusable => return Err(unusable(&look.message)),
        LookState::Foreign if means != RootMeans::Adopt => {
            return refuse("backend_foreign", "give the right place, or take it over with `root: adopt`");
        }
        LookState::Lost if means != RootMeans::Init => {
            return refuse("backend_not_mounted", "mount the disk, or make the root anew with `root: init`");
        }
        _ => {}
    }
    if let Some(id) = &look.backend_id {
        id_is_free(view, name, id)?;
        if look.state == LookState::Foreign {
            state.backends.insert(name.clone(), id.clone());
        }
    }
    Ok(Opens { look })
}

/// Refuses an id that another backend bears: the place is a copy, and both would serve it.
pub(super) fn id_is_free(view: &SystemView, name: &BackendName, id: &str) -> Result<()> {
    let taken = view
        .state
        .backends
        .iter()
        .find(|(other, known)| *known == id && *other != name && view.config.storage.backends.contains_key(*other));
    let Some((other, _)) = taken else { return Ok(()) };
    let message = format!("the place bears the id {id} of backend `{other}`: it is a copy of it; nothing was changed");
    Err(Error::new(ErrorKind::Conflict, OPERATION, message)
        .with_code("backend_id_taken")
        .with_hint("remove `.dg/backend.json` of the copy, or point the other backend at it"))
}

/// The error of a place that cannot be used as it is.
pub(super) fn unusable(message: &str) -> Error {
    Error::new(ErrorKind::Conflict, OPERATION, format!("{message}; nothing was changed"))
        .with_code("backend_unusable")
        .with_hint("mend the place, or give another one")
}

/// The buckets whose place moves, each with how many objects stay behind.
async fn moved(tools: &Tools, view: &SystemView, name: &BackendName) -> Vec<Value> {
    let routes = routes(&view.config.storage, &view.state.buckets);
    let mut moved = Vec::new();
    for bucket in buckets_of(&routes, name) {
        let Ok(route) = view.route(bucket) else { continue };
        let objects = tools.system.objects(&route).await;
        moved.push(json!({"bucket": bucket.as_str(), "objects": objects.count, "exact": objects.exact}));
    }
    moved
}

/// The changed fields.
fn changes(before: &Storage, after: &Storage) -> Vec<Value> {
    let mut changes = Vec::new();
    let mut names: Vec<&BackendName> = before.backends.keys().chain(after.backends.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let (was, is) = (before.backends.get(name), after.backends.get(name));
        let of = |field: &str, was: Option<Value>, is: Option<Value>, reload: &str| {
            let path = format!("storage.backends.{name}{field}");
            (was != is).then(|| json!({"path": path, "from": was, "to": is, "reload": reload}))
        };
        let place = |backend: &Backend| match &backend.kind {
            BackendKind::Filesystem { path } => json!({"type": "filesystem", "path": path.as_str()}),
            BackendKind::S3(S3Account { endpoint, region, access_key_id, .. }) => {
                json!({"type": "s3", "endpoint": endpoint, "region": region, "access_key_id": access_key_id})
            }
        };
        changes.extend(of("", was.map(place), is.map(place), "reconnect"));
        if let (Some(was), Some(is)) = (was, is) {
            changes.extend(of(".read_only", Some(was.read_only.into()), Some(is.read_only.into()), "live"));
        }
    }
    let (was, is) = (before.default_backend.as_str(), after.default_backend.as_str());
    if was != is {
        changes.push(json!({"path": "storage.default_backend", "from": was, "to": is, "reload": "live"}));
    }
    changes
}

fn refused(code: &'static str, problems: &Problems) -> Error {
    let hint = match code {
        "config_invalid" => "correct what is named; nothing was changed",
        _ => "roots lie under `advanced.data_roots`, apart from the state, the config file and every other root",
    };
    Error::new(ErrorKind::Invalid, OPERATION, format!("the change is refused:\n{problems}"))
        .with_code(code)
        .with_hint(hint)
}
