//! IAM from a document: config file, database and the row of the config's history change places with the old ones in one swap.

use crate::backup::blocking;
use crate::backup::fence::Fenced;
use crate::backup::files::{ConfigFile, config_text};
use crate::backup::handle::Tools;
use crate::backup::messages::Declaration;
use crate::backup::stage::{Next, stage};
use crate::domain::change::StateChange;
use crate::domain::config::canonical::{self, Literals};
use crate::domain::config::declared::{Declared, IamMode};
use crate::domain::config::problem::Problems;
use crate::domain::config::{Loaded, emit, load, with_iam_document};
use crate::domain::iam::declare::{Applied, Diff, Means, apply};
use crate::domain::state::{ConfigRevision, State};
use crate::system::swap::SwapKind;
use crate::system::view::SystemView;
use crate::{Error, ErrorKind, Result, fault};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const OPERATION: &str = "declare iam";

/// What is to be.
struct Plan {
    state: State,
    diff: Diff,
    /// The config file's next text; `None` where it stays as it is.
    text: Option<String>,
    config: Loaded,
    mode: IamMode,
}

/// Plans and, unless it is a dry run, swaps. An error means that nothing has changed.
pub(super) async fn run(tools: &Tools, id: &str, declaration: Declaration) -> Result<Value> {
    let view = tools.system.view();
    view.unlocked()?;
    let version = view.version();
    if declaration.if_version.is_some_and(|asked| asked != version) {
        return Err(Error::new(ErrorKind::StaleGeneration, OPERATION, "the state moved on; nothing was changed")
            .with_code("generation_changed")
            .with_hint("read it again, and repeat the change with its ETag"));
    }
    let loaded = tools.config.current().await?;
    let (planner, of_view, yaml, who) = (tools.clone(), view.clone(), declaration.yaml, declaration.who);
    let plan = blocking(move || plan(&planner, &of_view, &loaded, &yaml, &who)).await?;
    fault::point("backup.declare.planned");
    let nothing_to_do = plan.diff.no_changes && plan.text.is_none();
    if declaration.dry_run || nothing_to_do {
        return answer(&plan, !declaration.dry_run, &version);
    }
    let summary = plan.diff.summary();
    let shown = answer(&plan, true, &plan.state.meta.version())?;
    let next = stage(tools, id, next(tools, plan, &view)?, &view).await?;
    fault::point("backup.declare.staged");
    let fence = Fenced::raise(tools, id, &version).await?;
    tools.system.swap_all(next).await?;
    fence.done();
    log::info!("another declaration of IAM is in force: {}: {summary}", tools.system.view().version());
    Ok(shown)
}

fn answer(plan: &Plan, applied: bool, version: &str) -> Result<Value> {
    let mut answer = serde_json::to_value(&plan.diff).map_err(|error| Error::internal(OPERATION, error))?;
    answer["applied"] = json!(applied);
    answer["iam_mode"] = json!(plan.mode.as_str());
    answer["config_file_changes"] = json!(plan.text.is_some());
    answer["generation"] = json!(version);
    Ok(answer)
}

fn plan(tools: &Tools, view: &SystemView, own: &Loaded, yaml: &str, who: &str) -> Result<Plan> {
    let host = &tools.host;
    let mut next = with_iam_document(own, yaml, &host.environment).map_err(refused)?;
    let mode = next.config.access.iam_mode;
    let declared = next.config.access.iam.clone();
    let Applied { mut state, diff } =
        match declared == Declared::default() && mode == IamMode::Gui && own.config.is_declarative() {
            // Nothing but the mode: what there is stays, and the database owns it from now on.
            true => Applied { state: State::clone(&view.state), diff: Diff { no_changes: true, ..Diff::default() } },
            false => {
                let (nothing, base) = (BTreeMap::new(), host.config_base());
                let means = Means {
                    resolve: &|reference| host.resolve(reference, &next.config, &base, &view.state),
                    user_secrets: &nothing,
                    client_secrets: &nothing,
                    new_id: &|| uuid::Uuid::new_v4().to_string(),
                    now: tools.clock.now(),
                };
                apply(&declared, &view.state, &means)?
            }
        };
    if mode == IamMode::Gui {
        // The database owns it: lists in the file would only look as if they did something.
        next.config.access.iam = Declared::default();
    }
    let text = next_text(tools, own, &next);
    let config = match &text {
        None => own.clone(),
        Some(text) => {
            host.config_writable(Some(text))?;
            load::load(text, &host.environment).map_err(refused)?
        }
    };
    if text.is_some() {
        for (name, secret) in canonical::literal_secrets(&next.config) {
            state.secrets.insert(name.to_owned(), secret);
        }
    }
    if text.is_some() || !diff.no_changes {
        let yaml = emit::emit(&canonical::file_tree(&config, Literals::Store));
        let revision = ConfigRevision { number: 0, at: tools.clock.now(), actor: who.to_owned(), yaml };
        StateChange::RecordConfig(revision).apply(&mut state, tools.clock.now())?;
        state.meta.generation += 1;
    }
    Ok(Plan { state, diff, text, config, mode })
}

/// What the file is to say, where that is not what it says: another declaration, mode, or a literal secret that goes.
fn next_text(tools: &Tools, own: &Loaded, next: &Loaded) -> Option<String> {
    let (was, is) = (&own.config.access, &next.config.access);
    if was.iam_mode == is.iam_mode && was.iam == is.iam {
        return None;
    }
    let (_, text) = config_text(tools, next.clone());
    // A document with its secrets written out says nothing new to a file that leaves them to the database.
    let present = std::fs::read(&tools.host.config_file.path).ok();
    (present.as_deref() != Some(text.as_bytes())).then_some(text)
}

fn refused(problems: Problems) -> Error {
    Error::new(ErrorKind::Invalid, OPERATION, format!("the document is refused:\n{problems}"))
        .with_code("config_invalid")
        .with_hint("lines are those of the document; `access:` holds `iam_mode`, `iam_users`, `iam_groups`, `auth_providers` and `group_mapping_rules`")
        .with_source(problems)
}

/// What is to be in force, for the staging that all swaps share.
fn next(tools: &Tools, plan: Plan, view: &SystemView) -> Result<Next> {
    let base = match plan.text {
        Some(_) => tools.host.restored_base(),
        None => tools.host.config_base(),
    };
    Ok(Next {
        kind: SwapKind::ConfigChange,
        state: plan.state,
        hash: view.bootstrap_hash.clone().ok_or_else(|| Error::internal(OPERATION, "no hash is in force"))?,
        hash_file: None,
        config: plan.text.map_or(ConfigFile::Kept, ConfigFile::Written),
        loaded: Arc::new(plan.config),
        base,
        prune_buckets: false,
        ready: Default::default(),
    })
}
