//! Builds the console (`web/`) where npm is there, once per change of its sources, and lists its files for `http::ui` to embed.
//!
//! Nothing is written into the tree: the build happens in a copy below Cargo's target folder, kept by a hash of the sources, so
//! that further profiles take what the first one built. Without npm, or where its registry cannot be reached, the server builds all
//! the same and `/_/` says how to get the console. `DGP_SKIP_CONSOLE=1` asks for that.

use std::fmt::Write;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What the console is made of, below `web/`. What else is there is made from it, or for people.
const SOURCES: [&str; 7] =
    ["package.json", "package-lock.json", "tsconfig.json", "vite.config.ts", "index.html", "public", "src"];
/// Where the build is configured not to happen.
const SKIP: &str = "DGP_SKIP_CONSOLE";

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() {
    if let Err(error) = build() {
        // Cargo ends the build with these lines, as they are.
        for line in error.to_string().lines() {
            println!("cargo::error={line}");
        }
    }
}

fn build() -> Outcome<()> {
    println!("cargo::rerun-if-env-changed={SKIP}");
    println!("cargo::rerun-if-changed=src/build.rs");
    for source in SOURCES {
        println!("cargo::rerun-if-changed=web/{source}");
    }
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let embedded = out.join("console");
    remove(&embedded)?;
    match console(&target_folder(&out).join("console"))? {
        Built::Here(dist) => copy(&dist, &embedded)?,
        Built::Not(why) => {
            println!("cargo::warning=the server is built without its console: {why}");
            fs::create_dir_all(&embedded)?;
        }
        Built::Unwanted => fs::create_dir_all(&embedded)?,
    }
    fs::write(out.join("console.rs"), table(&embedded)?)?;
    Ok(())
}

/// How the console's build ended.
enum Built {
    /// Its files are in this folder.
    Here(PathBuf),
    /// It could not be built on this machine.
    Not(String),
    /// Nobody wants it.
    Unwanted,
}

/// Builds the console, or finds what an earlier run built from the same sources.
fn console(cache: &Path) -> Outcome<Built> {
    if std::env::var_os(SKIP).is_some_and(|value| !value.is_empty() && value != "0") {
        return Ok(Built::Unwanted);
    }
    let web = Path::new("web");
    let built = cache.join(format!("dist-{:016x}", hash(web, &SOURCES)?));
    if built.is_dir() {
        return Ok(Built::Here(built));
    }
    let Some(modules) = modules(web, cache)? else {
        return Ok(Built::Not("npm is not here, or the packages of web/package-lock.json cannot be fetched".into()));
    };
    let work = Scratch::new(cache)?;
    for source in SOURCES.iter().map(|source| web.join(source)).filter(|source| source.exists()) {
        copy(&source, &work.0.join(source.strip_prefix(web)?))?;
    }
    std::os::unix::fs::symlink(&modules, work.0.join("node_modules"))?;
    let run = npm(&work.0, &["run", "build"]).map_err(|error| format!("npm run build: {error}"))?;
    if !run.status.success() {
        // The packages are there, so this is a fault in the sources: it must not pass for a missing npm.
        return Err(format!("the console does not build:\n{}", said(&run)).into());
    }
    settle(&work.0.join("dist"), &built)?;
    Ok(Built::Here(built))
}

/// The packages of the lock file; `None` where they cannot be had here.
fn modules(web: &Path, cache: &Path) -> Outcome<Option<PathBuf>> {
    let files = ["package.json", "package-lock.json"];
    let kept = cache.join(format!("packages-{:016x}", hash(web, &files)?));
    let modules = kept.join("node_modules");
    if modules.is_dir() {
        return Ok(Some(modules));
    }
    let work = Scratch::new(cache)?;
    for file in files {
        fs::copy(web.join(file), work.0.join(file))?;
    }
    // Scripts of packages do not run: what they would fetch or build is no part of the lock file.
    // A Node.js that is too old for them is as good as none.
    let arguments = [
        "ci",
        "--engine-strict",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--prefer-offline",
        "--loglevel=error",
    ];
    match npm(&work.0, &arguments) {
        Ok(run) if run.status.success() => {
            forget_older(cache)?;
            settle(&work.0, &kept).map(|()| Some(modules))
        }
        Ok(run) => {
            for line in said(&run).lines().take(8) {
                println!("cargo::warning=npm ci: {line}");
            }
            Ok(None)
        }
        Err(_) => Ok(None),
    }
}

/// Packages of another lock file are large, and few come back to it.
fn forget_older(cache: &Path) -> io::Result<()> {
    for entry in fs::read_dir(cache)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("packages-") {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

fn npm(folder: &Path, arguments: &[&str]) -> io::Result<Output> {
    Command::new("npm").args(arguments).current_dir(folder).env("NO_COLOR", "1").stdin(Stdio::null()).output()
}

fn said(run: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr))
}

/// A folder of this process alone, gone when it ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(cache: &Path) -> io::Result<Self> {
        let folder = cache.join(format!("work-{}", std::process::id()));
        remove(&folder)?;
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // It may have settled elsewhere under its final name.
        let _ = remove(&self.0);
    }
}

/// Gives a finished folder its name at once, so that another build running beside this one sees all of it or nothing.
fn settle(finished: &Path, name: &Path) -> Outcome<()> {
    match fs::rename(finished, name) {
        Err(error) if !name.is_dir() => Err(error.into()),
        // Where the other was first, it built the same.
        _ => Ok(()),
    }
}

/// Cargo's target folder: the one that it marked, else three levels above a build script's own.
fn target_folder(out: &Path) -> PathBuf {
    let marked = out.ancestors().filter(|folder| folder.join("CACHEDIR.TAG").exists()).last();
    marked.or(out.ancestors().nth(4)).unwrap_or(out).to_owned()
}

/// The Rust text of the list: each file's path, and its bytes plain, as br and as gzip where the build made those.
fn table(dist: &Path) -> Outcome<String> {
    let mut text = String::from("&[\n");
    for file in files(dist)? {
        let name = file.strip_prefix(dist)?.to_str().ok_or("the build made a file whose name is no text")?;
        if name.ends_with(".br") || name.ends_with(".gz") {
            continue;
        }
        let coded = |suffix: &str| {
            let path = dist.join(format!("{name}{suffix}"));
            if path.is_file() { format!("Some(include_bytes!({path:?}))") } else { "None".to_owned() }
        };
        writeln!(
            text,
            "    File {{ path: {name:?}, plain: include_bytes!({file:?}), br: {}, gzip: {} }},",
            coded(".br"),
            coded(".gz")
        )?;
    }
    text.push_str("]\n");
    Ok(text)
}

/// A hash of names and contents. The hasher is not keyed, so the same sources give the same name until the compiler changes it.
fn hash(root: &Path, below: &[&str]) -> Outcome<u64> {
    let mut hasher = DefaultHasher::new();
    for file in below.iter().map(|name| root.join(name)).filter(|path| path.exists()) {
        for file in files(&file)? {
            hasher.write(file.as_os_str().as_encoded_bytes());
            let bytes = fs::read(&file)?;
            hasher.write_usize(bytes.len());
            hasher.write(&bytes);
        }
    }
    Ok(hasher.finish())
}

/// Every file of a folder and below, sorted; a file is its own list.
fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(path)? {
        found.extend(files(&entry?.path())?);
    }
    found.sort();
    Ok(found)
}

fn copy(from: &Path, to: &Path) -> Outcome<()> {
    for file in files(from)? {
        let target = if from.is_dir() { to.join(file.strip_prefix(from)?) } else { to.to_owned() };
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(&file, &target)?;
    }
    Ok(())
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
