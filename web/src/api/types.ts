// The shapes of the API by short names. They are generated from the server's own description.

import type { components } from "../../generated/schema";

type Schemas = components["schemas"];

export type ProblemBody = Schemas["Problem"];
export type WhoAmI = Schemas["WhoAmI"];
export type Health = Schemas["Health"];
export type Readiness = Schemas["Readiness"];
export type Status = Schemas["Status"];
export type AttentionItem = Schemas["AttentionItem"];
export type Backend = Schemas["BackendHealth"];
export type StorageBackend = Schemas["Backend"];
export type BackendLook = Schemas["BackendLook"];
export type ClaimedBackend = Schemas["ClaimedBackend"];
export type BackendPlan = Schemas["BackendPlan"];
export type User = Schemas["User"];
export type AccessKey = Schemas["AccessKey"];
export type Rule = Schemas["Rule"];
export type Group = Schemas["Group"];
export type Token = Schemas["Token"];
export type Policy = Schemas["Policy"];
export type Session = Schemas["Session"];
export type Question = Schemas["Question"];
export type Explanation = Schemas["Explanation"];
export type ConsideredRule = Schemas["ConsideredRule"];
export type AuthProvider = Schemas["AuthProvider"];
export type ProviderTest = Schemas["AuthProviderTest"];
export type MappingRule = Schemas["MappingRule"];
export type MappingPreview = Schemas["MappingPreview"];
export type ExternalIdentity = Schemas["ExternalIdentity"];
export type AuditRow = Schemas["AuditRow"];
export type AuditProof = Schemas["AuditProof"];
export type Restored = Schemas["Restored"];
export type FailedRestore = Schemas["Failed"];
export type StoredBackup = Schemas["StoredBackup"];
export type Schedule = Schemas["Schedule"];
export type Verified = Schemas["Verified"];
export type Counted = Schemas["Counted"];
export type Changes = Schemas["Changes"];
export type Conversion = Schemas["Conversion"];
export type DbRecovered = Schemas["DbRecovered"];
export type Bucket = Schemas["Bucket"];
export type BucketChange = Schemas["BucketChange"];
export type ObjectPage = Schemas["ObjectPage"];
export type ObjectMetadata = Schemas["ObjectMetadata"];
export type ListedObject = Schemas["ListedObject"];
