//! Rules of admission: which requests go on at all, before anybody is asked who they are. The first block that matches decides.
//!
//! A block matches where all that it names holds of the parsed and decoded request; a block that names nothing matches everything.
//! A request that is about more than one object (a copy) is asked about each, and stops where one of them is stopped.

mod path;

pub use path::PathGlob;

use crate::domain::iam::action::Requested;
use crate::domain::iam::model::Effect;
use crate::domain::names::BucketName;
use crate::domain::network::WrittenNetwork;
use std::net::IpAddr;

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What logs and traces call it.
    pub name: String,
    /// Which requests it is about.
    pub matches: Match,
    /// What becomes of them.
    pub action: Action,
}

/// What a block asks of a request; what is not set holds of every request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// One of these methods, in upper case.
    pub methods: Vec<String>,
    /// One of these actions, named as in a policy: `s3:PutObject`, `s3:Get*`, `write`.
    pub operations: Vec<String>,
    /// From one of these networks.
    pub networks: Vec<WrittenNetwork>,
    /// This bucket.
    pub bucket: Option<BucketName>,
    /// The whole key, the prefix of a listing, or nothing where the request is about a bucket.
    pub path: Option<PathGlob>,
    /// It brings credentials, true or false; whether they are good is found out later.
    pub authenticated: Option<bool>,
    /// A switch of older files; none was ever on, so a block that waits for one matches nothing.
    pub config_flag: Option<String>,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// 403 `AccessDenied`.
    Deny,
    /// This answer.
    Reject {
        /// 400 to 599.
        status: u16,
        /// What the client reads.
        message: Option<String>,
    },
    /// A request without credentials goes on as `$anonymous`, who may what public prefixes grant; a block with this action is
    /// about no others.
    AllowAnonymous,
    /// It goes on, and no later block is asked.
    Continue,
}

/// The words of the actions, as the configuration and traces write them.
pub const ACTIONS: [&str; 4] = ["allow-anonymous", "deny", "continue", "reject"];

/// One thing that a request is about.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// It brings credentials.
    pub authenticated: bool,
    /// Where it comes from.
    pub source_ip: Option<IpAddr>,
    /// The AWS action; `None` where no operation could be read, which nobody can perform.
    pub action: Option<&'a str>,
    /// The bucket.
    pub bucket: Option<&'a str>,
    /// The decoded key, the prefix of a listing, or nothing.
    pub path: &'a str,
}

/// What the blocks say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'b> {
    /// It goes on, because this block says so or because none matches.
    Pass(Option<&'b Block>),
    /// This block stops it.
    Stop(&'b Block),
}

impl<'b> Verdict<'b> {
    /// The block that decided.
    pub fn block(self) -> Option<&'b Block> {
        match self {
            Self::Pass(block) => block,
            Self::Stop(block) => Some(block),
        }
    }

    /// The block that stops the request.
    pub fn stopped_by(self) -> Option<&'b Block> {
        match self {
            Self::Pass(_) => None,
            Self::Stop(block) => Some(block),
        }
    }
}

impl Action {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::AllowAnonymous => ACTIONS[0],
            Self::Deny => ACTIONS[1],
            Self::Continue => ACTIONS[2],
            Self::Reject { .. } => ACTIONS[3],
        }
    }

    fn stops(&self) -> bool {
        matches!(self, Self::Deny | Self::Reject { .. })
    }
}

impl Block {
    /// Whether it is about this request.
    pub fn matches(&self, request: &Request<'_>) -> bool {
        let Match { methods, operations, networks, bucket, path, authenticated, config_flag } = &self.matches;
        let of_action = |name: &str| {
            let requested = Requested::new(name);
            // As a Deny reads its actions: no name is left out for being too powerful.
            operations.iter().any(|rule| requested.included_in(rule, Effect::Deny))
        };
        config_flag.is_none()
            && (self.action != Action::AllowAnonymous || !request.authenticated)
            && authenticated.is_none_or(|wanted| wanted == request.authenticated)
            && (methods.is_empty() || methods.iter().any(|method| method.eq_ignore_ascii_case(request.method)))
            && (operations.is_empty() || request.action.is_some_and(of_action))
            // An address that nobody knows is stopped by what stops and helped by nothing.
            && (networks.is_empty()
                || request.source_ip.map_or(self.action.stops(), |ip| networks.iter().any(|net| net.contains(ip))))
            && bucket.as_ref().is_none_or(|bucket| request.bucket == Some(bucket.as_str()))
            && path.as_ref().is_none_or(|path| path.matches(request.path))
    }
}

/// What the blocks say of one thing: the first that matches.
pub fn decide<'b>(blocks: &'b [Block], request: &Request<'_>) -> Verdict<'b> {
    match blocks.iter().find(|block| block.matches(request)) {
        Some(block) if block.action.stops() => Verdict::Stop(block),
        found => Verdict::Pass(found),
    }
}

/// What they say of a request that is about several things: what stops one stops all.
pub fn decide_all<'b, 'a>(blocks: &'b [Block], requests: impl IntoIterator<Item = Request<'a>>) -> Verdict<'b> {
    let mut first = None;
    for request in requests {
        match decide(blocks, &request) {
            Verdict::Pass(found) => first = first.or(found),
            stopped @ Verdict::Stop(_) => return stopped,
        }
    }
    Verdict::Pass(first)
}

#[cfg(test)]
mod tests;
