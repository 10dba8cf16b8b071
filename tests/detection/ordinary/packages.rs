//! Package managers, without a registry: the packages are made here.

use std::fs;

use anyhow::Result;

use super::stage::Stage;
use crate::tree;

/// Packages of the npm project.
const PACKAGES: usize = 150;

/// Makes packages with the files every package has, packed as a registry hands them out.
pub(super) fn have_npm_packages(stage: &Stage) -> Result<()> {
    let (mut random, all) = (stage.random("npm"), stage.aside("npm"));
    let project = stage.watched("web");
    fs::create_dir_all(&project)?;
    let mut needs = Vec::new();
    for number in 0..PACKAGES {
        let (name, folder) = (format!("pack{number:03}"), all.join(format!("{number}/package")));
        fs::create_dir_all(folder.join("lib"))?;
        let manifest = format!("{{\"name\":\"{name}\",\"version\":\"1.0.0\",\"license\":\"MIT\"}}");
        fs::write(folder.join("package.json"), manifest)?;
        for file in ["index.js", "README.md", "LICENSE"] {
            fs::write(folder.join(file), random.word(400))?;
        }
        for file in 0..22 {
            fs::write(folder.join(format!("lib/part{file:02}.js")), random.word(300))?;
        }
        needs.push(format!("\"{name}\":\"file:{}/{name}.tgz\"", all.display()));
    }
    let line = "for n in *; do [ -d $n ] || continue; tar -czf pack$(printf %03d $n).tgz -C $n package; done";
    stage.shell(&all, line)?;
    let manifest = format!(
        "{{\"name\":\"web\",\"version\":\"1.0.0\",\"private\":true,\"dependencies\":{{{}}}}}",
        needs.join(",")
    );
    fs::write(project.join("package.json"), manifest)?;

    Ok(())
}

const NPM: &str = "--offline --no-audit --no-fund --silent --cache \"$ASIDE/npm-cache\"";

pub(super) fn npm_install(stage: &Stage) -> Result<()> {
    stage.shell(&stage.watched("web"), &format!("npm install {NPM}"))
}

pub(super) fn have_npm_project(stage: &Stage) -> Result<()> {
    have_npm_packages(stage)?;
    npm_install(stage)
}

pub(super) fn npm_ci(stage: &Stage) -> Result<()> {
    stage.shell(&stage.watched("web"), &format!("npm ci {NPM}"))
}

/// Makes a Debian package of 600 files and the folder it is installed into.
pub(super) fn have_debian_package(stage: &Stage) -> Result<()> {
    make_package(stage, 1)?;
    let database = stage.watched("system/var/lib/dpkg");
    for folder in ["info", "updates", "triggers"] {
        fs::create_dir_all(database.join(folder))?;
    }
    for file in ["status", "available"] {
        fs::write(database.join(file), "")?;
    }
    Ok(())
}

fn make_package(stage: &Stage, version: u64) -> Result<()> {
    let folder = stage.aside(&format!("package-{version}"));
    stage.sources(&folder.join("usr/share/clinic"), 30, 20)?;
    fs::create_dir_all(folder.join("DEBIAN"))?;
    let control = format!(
        "Package: clinic\nVersion: {version}\nArchitecture: all\nMaintainer: x <x@example.com>\nDescription: x\n"
    );
    fs::write(folder.join("DEBIAN/control"), control)?;
    if 1 < version {
        let line = "for f in usr/share/clinic/*/*.py; do echo new >> $f; done; rm usr/share/clinic/*/module03.json";
        stage.shell(&folder, line)?;
    }
    let line = format!("dpkg-deb -Znone --build package-{version} clinic-{version}.deb >/dev/null");
    stage.shell(&stage.ground.aside(), &line)
}

fn dpkg(stage: &Stage, version: u64) -> Result<()> {
    let line = format!(
        "dpkg --root=\"$WATCHED/system\" --log=/dev/null --force-script-chrootless --force-not-root --force-unsafe-io \
         -i clinic-{version}.deb >/dev/null"
    );
    stage.shell(&stage.ground.aside(), &line)
}

pub(super) fn install_package(stage: &Stage) -> Result<()> {
    dpkg(stage, 1)
}

pub(super) fn have_installed_package(stage: &Stage) -> Result<()> {
    have_debian_package(stage)?;
    dpkg(stage, 1)?;
    make_package(stage, 2)
}

pub(super) fn upgrade_package(stage: &Stage) -> Result<()> {
    dpkg(stage, 2)
}

/// A wheel of 500 modules.
pub(super) fn have_wheel(stage: &Stage) -> Result<()> {
    let mut random = stage.random("wheel");
    let mut files = vec![
        (
            "clinic-1.0.dist-info/METADATA".to_owned(),
            "Metadata-Version: 2.1\nName: clinic\nVersion: 1.0\n".to_owned(),
        ),
        (
            "clinic-1.0.dist-info/WHEEL".to_owned(),
            "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
                .to_owned(),
        ),
    ];
    for number in 0..500 {
        let path = format!("clinic/part{:02}/module{:02}.py", number / 20, number % 20);
        files.push((path, format!("# {}\n", random.word(400))));
    }
    let names: Vec<_> = files
        .iter()
        .map(|(name, _)| format!("{name},,\n"))
        .collect();
    files.push(("clinic-1.0.dist-info/RECORD".to_owned(), names.concat()));
    let entries: Vec<_> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_bytes()))
        .collect();
    fs::write(stage.aside("clinic-1.0-py3-none-any.whl"), tree::zip(&entries))?;

    Ok(())
}

pub(super) fn pip_install(stage: &Stage) -> Result<()> {
    let line = "python3 -m pip install -q --no-index --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
                --target python \"$ASIDE/clinic-1.0-py3-none-any.whl\"";
    stage.shell(&stage.ground.watched(), line)
}

pub(super) fn have_crate(stage: &Stage) -> Result<()> {
    let folder = stage.watched("program/src");
    fs::create_dir_all(&folder)?;
    fs::write(
        stage.watched("program/Cargo.toml"),
        "[package]\nname = \"program\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n",
    )?;
    let mut root = String::new();
    for number in 0..40 {
        root.push_str("pub mod m");
        root.push_str(&number.to_string());
        root.push_str(";\n");
        let module = format!("pub fn f(x: u64) -> u64 {{ x.wrapping_mul({number}) }}\n");
        fs::write(folder.join(format!("m{number}.rs")), module)?;
    }
    fs::write(folder.join("lib.rs"), root)?;
    fs::write(folder.join("main.rs"), "fn main() { println!(\"{}\", program::m1::f(2)); }\n")?;
    Ok(())
}

/// The compiler lies where the tool that chooses it looks; only that is taken from the outside.
pub(super) fn build_crate(stage: &Stage) -> Result<()> {
    let mut command = std::process::Command::new("cargo");
    command
        .args(["build", "-q", "--offline", "--target-dir"])
        .arg(stage.watched("program/target"))
        .current_dir(stage.watched("program"))
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("RUSTFLAGS");
    crate::command::run(&mut command).map(drop)
}
