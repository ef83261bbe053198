//! A form on its way to a [`Call`]: what is decided before its fields are read, and what after.

use super::{Call, no_host, signer, stopped, unproven};
use crate::app::Edge;
use crate::auth::sigv4::{FormProof, FormSigner, Parsed, Rules};
use crate::http::context::{self, Context};
use crate::http::host::Place;
use crate::http::s3::admission::Sent;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::{Names, Operation, PutObject};
use crate::http::s3::permission::Needed;
use actix_web::dev::RequestHead;
use actix_web::web;
use actors::domain::iam::context::Resource;
use actors::domain::iam::principal::Principal;
use actors::domain::names::{BucketName, ObjectKey};
use actors::system::SystemView;
use std::sync::Arc;
use std::time::Duration;

/// A form whose fields are still to come.
pub(in crate::http::s3) struct FormCall<'a> {
    edge: &'a web::Data<Edge>,
    view: Arc<SystemView>,
    context: &'a Context,
    bucket: BucketName,
}

impl<'a> FormCall<'a> {
    /// Of a request for PostObject. Its credentials are in its fields and nowhere else.
    pub(in crate::http::s3) fn begin(
        edge: &'a web::Data<Edge>,
        view: Arc<SystemView>,
        head: &RequestHead,
        place: &Place,
        context: &'a Context,
    ) -> Result<Self, S3Error> {
        view.unlocked()?;
        if matches!(place, Place::Unnamed | Place::Garbage) {
            return Err(no_host());
        }
        let parsed = Parsed::new(&context::raw(head, place.bucket()))
            .map_err(|refusal| unproven(edge, context, refusal.into()))?;
        if parsed.has_credentials() && view.authentication_required() {
            return Err(S3Error::invalid_argument("Authorization", "", "Unsupported Authorization Type"));
        }
        match parsed.operation() {
            Some(Operation::PostObject(bucket)) => Ok(Self { edge, view, context, bucket: bucket.clone() }),
            _ => Err(S3Error::access_denied()),
        }
    }

    /// The bucket that the request names.
    pub(in crate::http::s3) fn bucket(&self) -> &BucketName {
        &self.bucket
    }

    /// How long a peer may stall.
    pub(in crate::http::s3) fn idle(&self) -> Duration {
        self.view.config.advanced.idle_timeout
    }

    /// Asks the rules of admission, before anybody looks at whose form it is.
    pub(in crate::http::s3) fn judge(&self, proof: &FormProof<'_>, key: &ObjectKey) -> Result<Sent, S3Error> {
        let sent = Sent::of_form(proof.has_credentials(), self.context.address);
        let resource = Resource::object(self.bucket.as_str(), key.as_str());
        let needed = Needed { action: "s3:PutObject", resource };
        let verdict = sent.judge_one(&self.view.config.admission, &needed, "");
        if let Some(block) = verdict.block() {
            self.edge.metrics.judged(block);
        }
        match verdict.stopped_by() {
            Some(block) => Err(stopped(self.edge, self.context, block, self.bucket.as_str())),
            None => Ok(sent),
        }
    }

    /// Who signed the policy; nobody in particular where nobody did.
    pub(in crate::http::s3) fn signer(&self, proof: &FormProof<'_>) -> Result<FormSigner, S3Error> {
        let (view, now) = (&self.view, self.context.now);
        if !view.authentication_required() || !proof.has_credentials() {
            return Ok(FormSigner::unproven(!view.authentication_required()));
        }
        let advanced = &view.config.advanced;
        // Nothing that a proxy rewrites is signed in a form.
        let rules = Rules { now, skew: advanced.clock_skew, region: advanced.region.as_deref(), proxy: None };
        let lookup = |key: &str| signer(view, key, now);
        let proven = self.edge.s3.verifier.form(proof, &rules, advanced.auth_sigv2_post, lookup);
        proven.map_err(|denied| unproven(self.edge, self.context, denied))
    }

    /// Decides whether the PUT that the fields ask for may be.
    pub(in crate::http::s3) fn admit(
        &self,
        signer: FormSigner,
        sent: Sent,
        put: impl FnOnce() -> Result<(PutObject, Names), S3Error>,
    ) -> Result<Call, S3Error> {
        let anonymous = *signer.principal() == Principal::Anonymous;
        // Whoever may nothing does not learn what was wrong with it.
        let (put, names) = put().map_err(|error| if anonymous { S3Error::access_denied() } else { error })?;
        let verified = signer.verified(Operation::PutObject(put), names);
        Call::allowed(self.edge, self.view.clone(), self.context.clone(), verified, sent)
    }
}
