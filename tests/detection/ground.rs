//! The ground a scenario may touch: a directory this harness made and marked itself, and nothing else.
//!
//! ```text
//! <ground>/.shirase-detection-ground   the mark: a word drawn when the ground was made
//!          watched/                    what the agent watches
//!          control/                    a second watched root, for the proof that the agent still sees
//!          aside/                      on the same file system, not watched
//! ```
//!
//! Always holds: a ground is only made where nothing is; whoever acts opens it by directory *and* mark, and is refused
//! when the mark is missing or another one; a path outside, or one that leads out over a link, is refused; only a
//! marked ground is ever removed.

use std::path::{Component, Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::{run, which};

/// Name of the marker file.
pub(crate) const MARKER: &str = ".shirase-detection-ground";

/// A marked directory.
#[derive(Debug)]
pub(crate) struct Ground {
    dir: PathBuf,
    mark: String,
    /// Whether this is the one that made it, and removes it.
    owner: Owner,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Maker,
    Guest,
}

impl Ground {
    /// Makes `parent/name` and marks it.
    pub(crate) fn make(parent: &Path, name: &str) -> Result<Self> {
        let dir = parent.join(name);
        std::fs::create_dir(&dir).with_context(|| {
            format!("failed to make the ground `{}`; it must not be there yet", dir.display())
        })?;
        let dir = dir.canonicalize().context("failed to resolve the ground")?;
        let mark = uuid::Uuid::new_v4().to_string();
        std::fs::write(dir.join(MARKER), &mark).context("failed to mark the ground")?;
        let ground = Self { dir, mark, owner: Owner::Maker };
        for folder in [ground.watched(), ground.control(), ground.aside()] {
            std::fs::create_dir(&folder)
                .with_context(|| format!("failed to make `{}`", folder.display()))?;
        }

        Ok(ground)
    }

    /// Opens a ground somebody else made, to act on it.
    pub(crate) fn open(dir: &Path, mark: &str) -> Result<Self> {
        let found = std::fs::read_to_string(dir.join(MARKER)).with_context(|| {
            format!("`{}` bears no mark `{MARKER}`; nothing is done there", dir.display())
        })?;
        if found != mark || mark.is_empty() {
            bail!("`{}` bears another mark than expected; nothing is done there", dir.display());
        }

        Ok(Self { dir: dir.to_owned(), mark: mark.to_owned(), owner: Owner::Guest })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }

    pub(crate) fn watched(&self) -> PathBuf {
        self.dir.join("watched")
    }

    pub(crate) fn control(&self) -> PathBuf {
        self.dir.join("control")
    }

    pub(crate) fn aside(&self) -> PathBuf {
        self.dir.join("aside")
    }

    /// Refuses a path that is not below this ground, by name or over a link of its parent.
    pub(crate) fn check(&self, path: &Path) -> Result<()> {
        let climbs = path.components().any(|part| part == Component::ParentDir);
        let parent = path.parent().unwrap_or(path);
        let real = parent
            .canonicalize()
            .with_context(|| format!("`{}` has no folder", path.display()))?;
        if climbs || !path.starts_with(&self.dir) || !real.starts_with(&self.dir) {
            bail!(
                "`{}` does not lie below `{}`; nothing is done to it",
                path.display(),
                self.dir.display()
            );
        }

        Ok(())
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        if self.owner == Owner::Maker && Self::open(&self.dir, &self.mark).is_ok() {
            // What cannot be removed is left for a person to see.
            drop(std::fs::remove_dir_all(&self.dir));
        }
    }
}

/// A file system of its own in an image file, so that nothing else on the machine is seen or harmed.
#[derive(Debug)]
pub(crate) struct Volume {
    mount: PathBuf,
    image: PathBuf,
}

impl Volume {
    /// Makes an ext4 of `mib` MiB with room for `inodes` files and mounts it.
    ///
    /// # Errors
    /// When this is not root, or the system lets no image be mounted: the reason.
    pub(crate) fn mount(parent: &Path, name: &str, mib: u64, inodes: u64) -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            bail!("mounting an image needs root");
        }
        which("mkfs.ext4").context("mkfs.ext4 (Debian package e2fsprogs) is not installed")?;
        let (image, mount) =
            (parent.join(format!("{name}.img")), parent.join(format!("{name}.mnt")));
        let file = std::fs::File::create_new(&image)
            .with_context(|| format!("failed to make `{}`", image.display()))?;
        file.set_len(mib * 1024 * 1024)
            .context("failed to size the image")?;
        std::fs::create_dir(&mount)
            .with_context(|| format!("failed to make `{}`", mount.display()))?;
        let volume = Self { mount, image };
        run(Command::new("mkfs.ext4")
            .args(["-q", "-F", "-N", &inodes.to_string()])
            .arg(&volume.image))?;
        run(Command::new("mount")
            .args(["-o", "loop,noatime"])
            .arg(&volume.image)
            .arg(&volume.mount))?;

        Ok(volume)
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.mount
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        // Not mounted, if it is the mounting that failed.
        drop(run(Command::new("umount").arg(&self.mount)));
        drop(std::fs::remove_dir(&self.mount));
        drop(std::fs::remove_file(&self.image));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_done_without_the_mark() {
        let parent = tempfile::tempdir().unwrap();
        let ground = Ground::make(parent.path(), "g").unwrap();
        assert!(Ground::open(ground.dir(), ground.mark()).is_ok());
        assert!(Ground::open(ground.dir(), "another").is_err());
        assert!(Ground::open(&ground.watched(), ground.mark()).is_err());
        std::fs::remove_file(ground.dir().join(MARKER)).unwrap();
        assert!(Ground::open(ground.dir(), ground.mark()).is_err());

        let dir = ground.dir().to_owned();
        drop(ground);
        assert!(dir.exists(), "an unmarked directory was removed");
    }

    #[test]
    fn a_path_outside_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let ground = Ground::make(parent.path(), "g").unwrap();
        let inside = ground.watched().join("a.txt");
        assert!(ground.check(&inside).is_ok());
        assert!(ground.check(&ground.watched().join("../../b.txt")).is_err());
        assert!(ground.check(Path::new("/etc/hostname")).is_err());
        std::os::unix::fs::symlink("/etc", ground.watched().join("link")).unwrap();
        assert!(
            ground
                .check(&ground.watched().join("link/hostname"))
                .is_err()
        );
    }

    #[test]
    fn a_ground_is_not_made_where_something_is() {
        let parent = tempfile::tempdir().unwrap();
        std::fs::create_dir(parent.path().join("g")).unwrap();
        assert!(Ground::make(parent.path(), "g").is_err());
    }
}
