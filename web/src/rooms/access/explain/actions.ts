// What one may ask about; the field takes any other action too.

const RIGHTS = [
  "iam:read",
  "iam:write",
  "config:read",
  "config:write",
  "config:secrets",
  "backup:read",
  "backup:export",
  "backup:export-secrets",
  "backup:restore",
  "audit:read",
  "system:read",
  "system:write",
] as const;

export const ACTIONS = [
  "s3:GetObject",
  "s3:PutObject",
  "s3:DeleteObject",
  "s3:ListBucket",
  "s3:ListAllMyBuckets",
  "s3:CreateBucket",
  "s3:DeleteBucket",
  "s3:GetObjectTagging",
  "s3:PutObjectTagging",
  "s3:AbortMultipartUpload",
  "s3:ListMultipartUploadParts",
  "s3:ListBucketMultipartUploads",
  "s3:GetBucketLocation",
  ...RIGHTS,
] as const;

/** A right of the admin API is about no bucket. */
export function isRight(action: string): boolean {
  return /^[a-z]+:/.test(action) && !action.startsWith("s3:");
}

export function isListing(action: string): boolean {
  return /^s3:ListBucket/i.test(action);
}
