//! What AWS answers about configurations that a bucket does not have, so that tools which read them all go on. What anybody may
//! read of a bucket is shown as its policy.
//!
//! Nothing here claims what does not hold: only objects of the bucket's owner exist (`BucketOwnerEnforced`), and the owner has
//! full control.

use super::list;
use crate::http::reply;
use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::Probe;
use crate::http::s3::xml::write::Document;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actors::domain::names::BucketName;
use actors::domain::public;

/// Answers the probe.
pub(in crate::http::s3) fn answer(call: &Call, name: &BucketName, probe: Probe) -> Result<HttpResponse, S3Error> {
    call.view.route(name)?;
    match probe {
        Probe::Policy | Probe::PolicyStatus => policy(call, name, probe),
        _ => Ok(reply::xml(StatusCode::OK, unconfigured(probe, &list::owner(call, name))?)),
    }
}

/// What anybody may read, as a policy, or that there is such a thing.
fn policy(call: &Call, name: &BucketName, probe: Probe) -> Result<HttpResponse, S3Error> {
    let prefixes = public::prefixes(&call.view.config.storage, &call.view.state.buckets, name);
    let Some(policy) = public::policy(name, prefixes) else {
        return unconfigured(probe, &list::owner(call, name)).map(|document| reply::xml(StatusCode::OK, document));
    };
    if probe == Probe::Policy {
        return Ok(HttpResponse::Ok().json(policy));
    }
    let mut document = Document::new("PolicyStatus");
    document.text("IsPublic", "true");
    Ok(reply::xml(StatusCode::OK, document.finish()))
}

/// The document of a bucket that nothing was configured for, or the error that stands for it.
fn unconfigured(probe: Probe, owner: &list::Owner) -> Result<String, S3Error> {
    let none = |code, message: &str| Err(S3Error::new(code, StatusCode::NOT_FOUND, message));
    let mut document = match probe {
        Probe::Acl => return Ok(acl(owner)),
        Probe::OwnershipControls => {
            let mut document = Document::new("OwnershipControls");
            document.open("Rule").text("ObjectOwnership", "BucketOwnerEnforced");
            document
        }
        Probe::RequestPayment => {
            let mut document = Document::new("RequestPaymentConfiguration");
            document.text("Payer", "BucketOwner");
            document
        }
        Probe::Logging => Document::new("BucketLoggingStatus"),
        Probe::Notification => Document::new("NotificationConfiguration"),
        Probe::Accelerate => Document::new("AccelerateConfiguration"),
        Probe::Versioning => Document::new("VersioningConfiguration"),
        Probe::Policy | Probe::PolicyStatus => return none("NoSuchBucketPolicy", "The bucket policy does not exist"),
        Probe::PublicAccessBlock => {
            return none("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found");
        }
        Probe::Encryption => {
            return none(
                "ServerSideEncryptionConfigurationNotFoundError",
                "The server side encryption configuration was not found",
            );
        }
        Probe::Website => {
            return none("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration");
        }
        Probe::Replication => {
            return none("ReplicationConfigurationNotFoundError", "The replication configuration was not found");
        }
        Probe::ObjectLock => {
            return none(
                "ObjectLockConfigurationNotFoundError",
                "Object Lock configuration does not exist for this bucket",
            );
        }
    };
    Ok(document.finish())
}

/// The owner has full control, and nobody else has anything through access control lists.
fn acl(owner: &list::Owner) -> String {
    let mut document = Document::new("AccessControlPolicy");
    document.open("Owner").text("ID", &owner.0).text("DisplayName", &owner.1).close();
    document.open("AccessControlList").open("Grant").open_typed("Grantee", "CanonicalUser");
    document.text("ID", &owner.0).text("DisplayName", &owner.1).close().text("Permission", "FULL_CONTROL");
    document.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_probe_has_an_answer() {
        let owner = ("u1".to_owned(), "ci".to_owned());
        let answers = Probe::ALL.map(|probe| match unconfigured(probe, &owner) {
            Ok(document) => document.split_once("?>\n<").map_or(String::new(), |(_, root)| root.to_owned()),
            Err(error) => format!("{} {}", error.status().as_u16(), error.code()),
        });
        let starts = [
            "AccessControlPolicy",
            "404 NoSuchBucketPolicy",
            "404 NoSuchBucketPolicy",
            "404 NoSuchPublicAccessBlockConfiguration",
            "OwnershipControls",
            "404 ServerSideEncryptionConfigurationNotFoundError",
            "404 NoSuchWebsiteConfiguration",
            "BucketLoggingStatus",
            "404 ReplicationConfigurationNotFoundError",
            "NotificationConfiguration",
            "AccelerateConfiguration",
            "RequestPaymentConfiguration",
            "VersioningConfiguration",
            "404 ObjectLockConfigurationNotFoundError",
        ];
        for (answer, start) in answers.iter().zip(starts) {
            assert!(answer.starts_with(start), "{answer}");
        }
        assert!(answers[0].contains("xsi:type=\"CanonicalUser\"><ID>u1</ID>"), "{}", answers[0]);
    }
}
