//! What was typed and the environment, resolved into what the server starts from.

use super::args::{Cli, Command};
use actors::config::{locate, state_dir};
use actors::domain::config::environment::variable_name;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What the server starts from.
#[derive(Clone, Debug)]
pub struct ServeSettings {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--state-dir`.
    pub state_dir: Option<PathBuf>,
    /// `--listen`.
    pub listen: Option<SocketAddr>,
    /// The environment; what is no UTF-8 is left out.
    pub environment: BTreeMap<String, String>,
}

impl ServeSettings {
    /// From the command line and an environment. `--listen` goes over the environment by taking the place of its variable,
    /// so that there is one order of precedence and one place that knows it.
    pub fn new(cli: &Cli, mut environment: BTreeMap<String, String>) -> Self {
        let listen = match &cli.command {
            Some(Command::Serve { listen }) => listen.or(cli.listen),
            _ => cli.listen,
        };
        if let Some(listen) = listen {
            environment.remove(&variable_name(&["advanced", "listen_addr"]));
            environment.insert("DGP_LISTEN_ADDR".to_owned(), listen.to_string());
        }
        Self { config: cli.places.config.clone(), state_dir: cli.places.state_dir.clone(), listen, environment }
    }

    /// The config file that was named, by flag or variable.
    pub fn named_config(&self) -> Option<PathBuf> {
        locate::named(self.config.as_deref(), &self.environment)
    }

    /// Where the state directory is.
    pub fn state_dir(&self) -> PathBuf {
        state_dir::find(self.state_dir.as_deref(), &self.environment, self.named_config().as_deref())
    }
}

/// The environment of the process, without what is no UTF-8.
pub fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn settings(args: &[&str], variables: &[(&str, &str)]) -> ServeSettings {
        let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        ServeSettings::new(&Cli::parse_from([&["deltaglider_proxy"], args].concat()), environment)
    }

    #[test]
    fn serve_is_what_is_meant_without_a_subcommand() {
        for args in [&["--listen", "127.0.0.1:1"][..], &["serve", "--listen", "127.0.0.1:1"]] {
            let settings = settings(args, &[("DGP_ADVANCED__LISTEN_ADDR", "127.0.0.1:2")]);
            assert_eq!(settings.listen.map(|address| address.port()), Some(1));
            let config = actors::domain::config::load("", &settings.environment).unwrap().config;
            assert_eq!(config.advanced.listen_addr.port(), 1);
        }
    }

    #[test]
    fn places_mean_the_same_before_and_after_the_subcommand() {
        for args in [&["--config", "/a/b.yaml", "serve"][..], &["serve", "--config", "/a/b.yaml"]] {
            let settings = settings(args, &[("DGP_CONFIG", "/c/d.yaml")]);
            assert_eq!(settings.named_config(), Some(PathBuf::from("/a/b.yaml")));
            assert_eq!(settings.state_dir(), PathBuf::from("/a"));
        }
    }
}
