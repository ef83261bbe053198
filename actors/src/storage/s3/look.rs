//! Looks at an account without opening it, and makes the buckets that are routed there where somebody says so.

use super::{Inner, S3Options, S3Store};
use crate::domain::names::BucketName;
use crate::storage::look::{Look, LookState};
use crate::{Error, ErrorKind, Result};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::{BTreeMap, BTreeSet};

const OPERATION: &str = "initialise backend";
/// So many marks are asked for at once.
const ASKED: usize = 8;

impl S3Store {
    /// What is found in an account: its buckets, and whose they are by their marks.
    pub async fn look(options: S3Options) -> Look {
        let (expected, routed) = (options.expected_id.clone(), options.routed.clone());
        let look = async {
            let store = Self::open(options)?;
            store.inner.look(expected.as_deref(), &routed).await
        };
        look.await.unwrap_or_else(|error: Error| found(LookState::Unusable, error.message().to_owned()))
    }

    /// Makes the buckets that are routed to an account, with the mark of the expected id. Refused where one of them is marked.
    pub async fn initialise(options: S3Options) -> Result<()> {
        let (store, routed) = (Self::open(options.clone())?, options.routed);
        let inner = &store.inner;
        let there = inner.account_buckets().await?;
        if let Some((bucket, id)) =
            inner.marks(&there, &routed).await?.iter().find(|(bucket, _)| routed.contains(bucket))
        {
            let message =
                format!("the bucket {bucket} at {} is backend {id}'s already; nothing was changed", inner.url);
            return Err(Error::new(ErrorKind::Conflict, OPERATION, message)
                .with_code("backend_initialised")
                .with_hint("`backend adopt` takes it over as it is"));
        }
        for bucket in &routed {
            match inner.create_bucket(bucket).await {
                Err(error) if error.kind() == ErrorKind::BucketExists => {}
                other => other?,
            }
        }
        Ok(())
    }
}

impl Inner {
    async fn look(&self, expected: Option<&str>, routed: &[BucketName]) -> Result<Look> {
        let there = self.account_buckets().await?;
        let marks = self.marks(&there, routed).await?;
        let ours: Vec<&BucketName> = routed.iter().filter(|bucket| there.contains(bucket)).collect();
        let (url, buckets) = (&self.url, Some(there.len()));
        let Some(expected) = expected else {
            let ids: BTreeSet<&String> = marks.values().collect();
            let look = match ids.iter().collect::<Vec<_>>().as_slice() {
                [] => found(LookState::New, format!("{url} becomes a backend")),
                [id] => {
                    let message = format!("{url} has the buckets of backend {id}");
                    Look { backend_id: Some((**id).clone()), ..found(LookState::Ready, message) }
                }
                several => {
                    let message =
                        format!("{url} becomes a backend, beside {} others that stay as they are", several.len());
                    found(LookState::New, message)
                }
            };
            return Ok(Look { buckets, ..look });
        };
        if ours.is_empty() && !routed.is_empty() {
            let message =
                format!("{url} has none of the buckets of backend {expected}; is the endpoint the right one?");
            return Ok(Look { buckets, ..found(LookState::Lost, message) });
        }
        let foreign: BTreeSet<&String> = ours.iter().filter_map(|bucket| marks.get(*bucket)).collect();
        let look = match foreign.iter().collect::<Vec<_>>().as_slice() {
            [] => (LookState::Ready, expected, format!("{url} is the account of backend {expected}")),
            [id] if **id == expected => {
                (LookState::Ready, expected, format!("{url} is the account of backend {expected}"))
            }
            [id] => {
                let message = format!("the buckets at {url} belong to backend {id}, not to {expected}");
                (LookState::Foreign, id.as_str(), message)
            }
            _ => {
                let message = format!(
                    "the buckets at {url} belong to several backends; remove .dg/backend.json from those that are to be taken over"
                );
                return Ok(Look { buckets, ..found(LookState::Unusable, message) });
            }
        };
        let (state, id, message) = look;
        Ok(Look { backend_id: Some(id.to_owned()), buckets, ..found(state, message) })
    }

    /// The marks of these buckets. One that cannot be read is an error only where the bucket is routed here.
    pub(super) async fn marks(
        &self,
        buckets: &[BucketName],
        routed: &[BucketName],
    ) -> Result<BTreeMap<BucketName, String>> {
        let asked = stream::iter(buckets.to_vec()).map(|bucket| async move {
            match self.marked(&bucket).await {
                Ok(id) => Ok(id.map(|id| (bucket, id))),
                Err(error) if routed.contains(&bucket) => Err(error),
                Err(error) => {
                    log::debug!(error:? = error; "a bucket of an account tells nothing of whose it is");
                    Ok(None)
                }
            }
        });
        let marks: Vec<Option<(BucketName, String)>> = asked.buffered(ASKED).try_collect().await?;
        Ok(marks.into_iter().flatten().collect())
    }
}

fn found(state: LookState, message: String) -> Look {
    Look { state, backend_id: None, buckets: None, message }
}
