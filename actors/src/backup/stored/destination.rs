//! Where stored backups lie: a directory of this host, or a bucket of this server. Each call looks the place up anew, so that a
//! restore that moves it is followed at once.

use super::content::{Content, Written};
use super::directory::{self, Found};
use crate::backup::blocking;
use crate::backup::handle::Tools;
use crate::disk::SharedDisk;
use crate::domain::condition::{Conditions, ETagMatch};
use crate::domain::config::model::BackupTarget;
use crate::domain::listing::ListQuery;
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::object::{ObjectAttributes, SystemHeaders};
use crate::domain::stored::StoredName;
use crate::storage::{CommitRequest, ReadOutcome, ReadRequest};
use crate::system::SystemHandle;
use crate::system::view::{Route, SystemView};
use crate::zipper::Source;
use crate::zipper::source::{Spool, check_length};
use crate::{Error, ErrorKind, Result};
use futures_util::TryStreamExt;
use std::path::PathBuf;

const OPERATION: &str = "stored backups";
/// Whose share of the transfer permits they count against.
const HOLDER: &str = "$backup";
/// Names that one page of a bucket's listing gives.
const PAGE: usize = 1000;

/// A place for backups.
#[derive(Clone)]
pub(super) enum Destination {
    /// A directory.
    Directory { path: PathBuf, disk: SharedDisk },
    /// Keys of a bucket, `prefix` before the name of each.
    Bucket { bucket: BucketName, prefix: String, system: SystemHandle },
}

impl Destination {
    /// The place that the config names. A clone has a folder of its own in it, so that it cannot touch what the original stored.
    pub(super) fn of(tools: &Tools, view: &SystemView) -> Result<Self> {
        let clone = view.state.meta.quarantined_from.is_some().then(|| tools.host.instance.instance_id.as_str());
        match &view.config.backup.to {
            None => Err(none()),
            Some(BackupTarget::Directory(path)) => {
                let path = path.resolve(&tools.host.config_base());
                let path = clone.map_or(path.clone(), |id| path.join(id));
                Ok(Self::Directory { path, disk: tools.disk.clone() })
            }
            Some(BackupTarget::Bucket { bucket, prefix }) => Ok(Self::Bucket {
                bucket: bucket.clone(),
                prefix: clone.map_or(prefix.clone(), |id| format!("{prefix}{id}/")),
                system: tools.system.clone(),
            }),
        }
    }

    /// Which place it is, for records and the audit log.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Directory { path, .. } => format!("directory:{}", path.display()),
            Self::Bucket { bucket, prefix, .. } => format!("bucket:{bucket}/{prefix}"),
        }
    }

    /// The backups that lie there.
    pub(super) async fn list(&self) -> Result<Vec<Found>> {
        match self {
            Self::Directory { path, .. } => {
                let path = path.clone();
                blocking(move || directory::list(&path)).await
            }
            Self::Bucket { .. } => self.list_bucket().await,
        }
    }

    /// Stores one, durably. `None` where the name is taken: what has it stays as it is.
    pub(super) async fn put(&self, name: &StoredName, content: &Content) -> Result<Option<Written>> {
        match self {
            Self::Directory { path, disk } => {
                let (path, disk, name, content) = (path.clone(), disk.clone(), name.clone(), content.clone());
                blocking(move || {
                    directory::sweep(disk.as_ref(), &path);
                    let mut written = Written::default();
                    let new = directory::put(disk.as_ref(), &path, &name, |out| {
                        written = content.write(out)?;
                        Ok(())
                    })?;
                    Ok(new.then_some(written))
                })
                .await
            }
            Self::Bucket { system, .. } => {
                let (route, key) = (self.route()?, self.key(name)?);
                // How long it gets is known when it is written: whether there is room is decided then.
                let room = system.reserve(&route, None, 0).await?;
                let mut ticket = route.store.begin_write(HOLDER, &route.bucket, &key).await?;
                let (mut pieces, mut summed) = (content.pieces()?, Written::default());
                while let Some(piece) = pieces.try_next().await? {
                    summed.add(&piece);
                    ticket.writer.write(piece).await?;
                }
                let headers =
                    SystemHeaders { content_type: Some("application/octet-stream".into()), ..SystemHeaders::default() };
                let commit = CommitRequest {
                    bucket: route.bucket.clone(),
                    key,
                    staged: ticket.writer.finish().await?,
                    attributes: ObjectAttributes { headers, ..ObjectAttributes::default() },
                    conditions: Conditions { if_none_match: Some(ETagMatch::Any), ..Conditions::default() },
                };
                match system.commit(&route, commit, room).await {
                    Ok(_) => Ok(Some(summed)),
                    Err(error) if error.kind() == ErrorKind::PreconditionFailed => Ok(None),
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// One of them, at most `limit` bytes; what lies elsewhere is fetched into a spool.
    pub(super) async fn get(&self, tools: &Tools, name: &StoredName, limit: u64) -> Result<Source> {
        match self {
            Self::Directory { path, .. } => {
                let (path, name) = (path.clone(), name.clone());
                blocking(move || directory::get(&path, &name, limit)).await
            }
            Self::Bucket { .. } => {
                let (route, key) = (self.route()?, self.key(name)?);
                let read = ReadRequest { bucket: route.bucket, key, conditions: Conditions::default(), range: None };
                let ticket = match route.store.open_read(HOLDER, read).await {
                    Ok(ReadOutcome::Found(ticket)) => ticket,
                    Ok(ReadOutcome::NotModified(_)) => return Err(missing(name.as_str())),
                    Err(error) if error.kind() == ErrorKind::NoSuchKey => return Err(missing(name.as_str())),
                    Err(error) => return Err(error),
                };
                check_length(ticket.meta.size, limit)?;
                let (state_dir, mut body) = (tools.host.state_dir.clone(), ticket.body);
                let mut spool = blocking(move || Spool::begin(&state_dir, limit)).await?;
                while let Some(piece) = body.try_next().await? {
                    spool = blocking(move || spool.take(&piece).map(|()| spool)).await?;
                }
                Ok(spool.finish())
            }
        }
    }

    /// Removes one; none there is fine.
    pub(super) async fn delete(&self, name: &StoredName) -> Result<()> {
        match self {
            Self::Directory { path, disk } => {
                let (path, disk, name) = (path.clone(), disk.clone(), name.clone());
                blocking(move || directory::delete(disk.as_ref(), &path, &name)).await
            }
            Self::Bucket { system, .. } => {
                system.delete_object(&self.route()?, &self.key(name)?, Conditions::default()).await
            }
        }
    }

    async fn list_bucket(&self) -> Result<Vec<Found>> {
        let Self::Bucket { prefix, .. } = self else { return Ok(Vec::new()) };
        let route = self.route()?;
        let (mut found, mut start_after) = (Vec::new(), String::new());
        loop {
            // With a delimiter the folders of clones are one entry each.
            let query = ListQuery {
                prefix: format!("{prefix}dgp-backup-v"),
                delimiter: "/".into(),
                start_after,
                max_keys: PAGE,
            };
            let page = route.store.list(&route.bucket, query).await?;
            found.extend(page.objects.into_iter().filter_map(|object| {
                let name = StoredName::parse(object.key.strip_prefix(prefix.as_str())?)?;
                Some(Found { name, bytes: object.size })
            }));
            match page.next {
                Some(next) => start_after = next,
                None => return Ok(found),
            }
        }
    }

    fn route(&self) -> Result<Route> {
        let Self::Bucket { bucket, system, .. } = self else { return Err(none()) };
        system.view().route(bucket).map_err(|error| {
            let message = format!("the bucket `{bucket}` for backups does not exist");
            Error::new(ErrorKind::Conflict, OPERATION, message)
                .with_code("backup_destination_unusable")
                .with_hint("make it, or set backup.to.bucket to one that is there")
                .with_source(error)
        })
    }

    fn key(&self, name: &StoredName) -> Result<ObjectKey> {
        match self {
            Self::Bucket { prefix, .. } => ObjectKey::new(format!("{prefix}{}", name.as_str())),
            Self::Directory { .. } => ObjectKey::new(name.as_str()),
        }
    }
}

/// 409: nobody said where backups go.
fn none() -> Error {
    Error::new(ErrorKind::Conflict, OPERATION, "nothing says where backups are stored")
        .with_code("no_backup_destination")
        .with_hint("set backup.to.directory or backup.to.bucket in the configuration")
}

/// 404: no stored backup has this name.
pub(super) fn missing(id: &str) -> Error {
    Error::new(ErrorKind::NotFound, OPERATION, format!("there is no stored backup `{id}`"))
        .with_code("no_such_backup")
        .with_hint("`GET /_/api/admin/backups` lists those there are")
}
