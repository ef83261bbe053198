//! What of a bucket a principal may see in a listing, for the scan to leave out the rest: pages stay full and cheap.

use crate::domain::iam::action::Requested;
use crate::domain::iam::context::{AccessRequest, RequestContext, Resource};
use crate::domain::iam::evaluate::{
    Decision, Reason, Subject, conditions_hold, decide, includes, variables, without_arn,
};
use crate::domain::iam::model::Effect;
use crate::domain::iam::pattern::Glob;
use crate::domain::iam::principal::Principal;
use crate::domain::state::State;

/// The keys of one bucket that a listing may show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListScope {
    bucket: String,
    /// `None`: the whole bucket is granted.
    granted: Option<Vec<Glob>>,
    denied: Vec<Glob>,
}

impl ListScope {
    /// The whole bucket.
    pub fn whole(bucket: &str) -> Self {
        Self { bucket: bucket.to_owned(), granted: None, denied: Vec::new() }
    }

    /// Every key may be shown: the scan needs to ask nothing.
    pub fn is_whole(&self) -> bool {
        self.granted.is_none() && self.denied.is_empty()
    }

    /// Whether a key may be shown.
    pub fn admits(&self, key: &str) -> bool {
        if self.is_whole() {
            return true;
        }
        let object = format!("{}/{key}", self.bucket);
        self.granted.as_ref().is_none_or(|granted| granted.iter().any(|glob| glob.matches(&object)))
            && !self.denied.iter().any(|glob| glob.matches(&object))
    }

    /// Whether any key that begins with `prefix` may be shown; where not, the scan skips them all.
    pub fn may_contain(&self, prefix: &str) -> bool {
        if self.is_whole() {
            return true;
        }
        let inside = format!("{}/{prefix}", self.bucket);
        self.granted.as_ref().is_none_or(|granted| granted.iter().any(|glob| glob.touches(&inside)))
            && !self.denied.iter().any(|glob| glob.covers(&inside))
    }

    /// The prefixes outside of which nothing is shown, sorted and without one inside another; `[""]` where there is no bound.
    pub fn prefixes(&self) -> Vec<String> {
        let Some(granted) = &self.granted else { return vec![String::new()] };
        let root = format!("{}/", self.bucket);
        let head = |glob: &Glob| glob.literal_head().strip_prefix(&root).map(str::to_owned).unwrap_or_default();
        let mut prefixes: Vec<String> = granted.iter().map(head).collect();
        prefixes.sort();
        prefixes.dedup_by(|next, kept| next.starts_with(kept.as_str()));
        prefixes
    }
}

/// Decides a listing (`s3:ListBucket`, …`Versions`, …`MultipartUploads`) and says what it may show.
pub fn list_scope(
    state: &State,
    principal: &Principal,
    action: &str,
    bucket: &str,
    context: &RequestContext,
) -> Result<ListScope, Decision> {
    let request = AccessRequest { action, resource: Resource::bucket(bucket), context };
    let decision = decide(state, principal, &request);
    if !decision.allowed {
        return Err(decision);
    }
    if decision.reason == Reason::FullRights {
        return Ok(ListScope::whole(bucket));
    }
    let requested = Requested::new(action);
    let subject = Subject::of(state, principal, &requested, context)?;
    let asked = subject.asked(context, true, &context.list.prefix);
    let (variables, root) = (variables(&asked), format!("{bucket}/"));
    let (mut whole, mut granted, mut denied) = (false, Vec::new(), Vec::new());
    for rule in subject.rules.iter().flat_map(|(_, rules)| rules.iter()) {
        if !includes(rule, &requested) || !conditions_hold(rule, &asked) {
            continue;
        }
        for glob in rule.resources.iter().filter_map(|pattern| Glob::new(without_arn(pattern), &variables).ok()) {
            match rule.effect {
                Effect::Allow if glob.matches(bucket) => whole = true,
                Effect::Allow if glob.touches(&root) => granted.push(glob),
                Effect::Deny if glob.touches(&root) => denied.push(glob),
                Effect::Allow | Effect::Deny => {}
            }
        }
    }
    Ok(ListScope { bucket: bucket.to_owned(), granted: (!whole).then_some(granted), denied })
}

/// Whether `ListBuckets` shows the bucket: something in it can be listed.
pub fn listable(state: &State, principal: &Principal, bucket: &str, context: &RequestContext) -> bool {
    let request = AccessRequest { action: "s3:ListBucket", resource: Resource::bucket(bucket), context };
    decide(state, principal, &request).allowed
}

/// Whether the principal may learn that a key is missing (404); where it could not have listed it, the answer is 403.
pub fn may_see_missing(
    state: &State,
    principal: &Principal,
    bucket: &str,
    key: &str,
    context: &RequestContext,
) -> bool {
    let mut context = context.clone();
    context.list.prefix = key.to_owned();
    list_scope(state, principal, "s3:ListBucket", bucket, &context).is_ok_and(|scope| scope.admits(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::iam::evaluate::tests::{context, listing, world};

    fn scope(user: &str, prefix: &str) -> Result<ListScope, Decision> {
        list_scope(&world(), &Principal::User(user.into()), "s3:ListBucket", "builds", &listing(prefix))
    }

    #[test]
    fn a_prefix_grant_shows_what_lies_inside() {
        let scope = scope("ci", "").unwrap();
        assert!(scope.admits("ci/log") && !scope.admits("other") && !scope.admits("ci"));
        assert!(scope.may_contain("ci/2026/") && scope.may_contain("c") && !scope.may_contain("other/"));
        assert_eq!(scope.prefixes(), ["ci/"]);
        assert!(
            super::list_scope(&world(), &Principal::User("ci".into()), "s3:ListBucket", "builds", &listing("other/"))
                .is_err()
        );
    }

    #[test]
    fn a_denied_part_is_left_out_and_a_listing_inside_it_is_refused() {
        let open = scope("careful", "").unwrap();
        assert!(open.admits("a") && !open.admits("secret/x") && !open.may_contain("secret/"));
        assert_eq!(open.prefixes(), [""]);
        assert!(scope("careful", "secret/").is_err());
        assert!(scope("careful", "secret/deep/").is_err());
    }

    #[test]
    fn a_missing_key_is_seen_only_where_it_could_be_listed() {
        let see =
            |user: &str, key: &str| may_see_missing(&world(), &Principal::User(user.into()), "builds", key, &context());
        assert!(see("ci", "ci/missing"));
        assert!(!see("ci", "c"));
        assert!(!see("ci", "other"));
        assert!(!see("reader", "any"));
        assert!(listable(&world(), &Principal::User("ci".into()), "builds", &context()));
        assert!(!listable(&world(), &Principal::User("ci".into()), "private", &context()));
        assert!(!listable(&world(), &Principal::User("reader".into()), "builds", &context()));
    }
}
