//! The configurations of a bucket that clients ask for and that no bucket here has yet.

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// `GET /bucket?acl`.
    Acl,
    /// `GET /bucket?policy`.
    Policy,
    /// `GET /bucket?policyStatus`.
    PolicyStatus,
    /// `GET /bucket?publicAccessBlock`.
    PublicAccessBlock,
    /// `GET /bucket?ownershipControls`.
    OwnershipControls,
    /// `GET /bucket?encryption`.
    Encryption,
    /// `GET /bucket?website`.
    Website,
    /// `GET /bucket?logging`.
    Logging,
    /// `GET /bucket?replication`.
    Replication,
    /// `GET /bucket?notification`.
    Notification,
    /// `GET /bucket?accelerate`.
    Accelerate,
    /// `GET /bucket?requestPayment`.
    RequestPayment,
    /// `GET /bucket?versioning`.
    Versioning,
    /// `GET /bucket?object-lock`.
    ObjectLock,
}

impl Probe {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Acl,
        Self::Policy,
        Self::PolicyStatus,
        Self::PublicAccessBlock,
        Self::OwnershipControls,
        Self::Encryption,
        Self::Website,
        Self::Logging,
        Self::Replication,
        Self::Notification,
        Self::Accelerate,
        Self::RequestPayment,
        Self::Versioning,
        Self::ObjectLock,
    ];

    /// What it shows where there is something to show; else it answers as for a bucket that nobody configured.
    pub fn shows(self) -> Option<&'static str> {
        match self {
            Self::Policy => Some("the public prefixes as a policy"),
            Self::PolicyStatus => Some("that there are public prefixes"),
            _ => None,
        }
    }

    /// The parameter that asks for it.
    pub fn parameter(self) -> &'static str {
        match self {
            Self::Acl => "acl",
            Self::Policy => "policy",
            Self::PolicyStatus => "policyStatus",
            Self::PublicAccessBlock => "publicAccessBlock",
            Self::OwnershipControls => "ownershipControls",
            Self::Encryption => "encryption",
            Self::Website => "website",
            Self::Logging => "logging",
            Self::Replication => "replication",
            Self::Notification => "notification",
            Self::Accelerate => "accelerate",
            Self::RequestPayment => "requestPayment",
            Self::Versioning => "versioning",
            Self::ObjectLock => "object-lock",
        }
    }

    /// The operation, as AWS names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Acl => "GetBucketAcl",
            Self::Policy => "GetBucketPolicy",
            Self::PolicyStatus => "GetBucketPolicyStatus",
            Self::PublicAccessBlock => "GetPublicAccessBlock",
            Self::OwnershipControls => "GetBucketOwnershipControls",
            Self::Encryption => "GetBucketEncryption",
            Self::Website => "GetBucketWebsite",
            Self::Logging => "GetBucketLogging",
            Self::Replication => "GetBucketReplication",
            Self::Notification => "GetBucketNotificationConfiguration",
            Self::Accelerate => "GetBucketAccelerateConfiguration",
            Self::RequestPayment => "GetBucketRequestPayment",
            Self::Versioning => "GetBucketVersioning",
            Self::ObjectLock => "GetObjectLockConfiguration",
        }
    }
}
