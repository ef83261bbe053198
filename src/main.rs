//! The binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    deltaglider_proxy::cli::main(deltaglider_proxy::app::serve)
}
