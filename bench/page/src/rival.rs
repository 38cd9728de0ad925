//! What one would use instead of the app: pages of plain images, without and with a service worker.
//!
//! Each is a folder like `dist/`, written once its server can say who the friends are.

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use miniature_e2e::engine::Engine;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    str::FromStr,
};

const PAGE: &str = include_str!("rivals/page.html");
const STYLE: &str = include_str!("rivals/page.css");
const SCRIPT: &str = include_str!("rivals/page.js");
const WORKER: &str = include_str!("rivals/worker.js");

/// The modules of Workbox that the worker needs, each after those that it builds on.
const MODULES: [&str; 6] =
    ["core", "routing", "strategies", "precaching", "cacheable-response", "expiration"];

/// A page to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rival {
    /// 50 images of 256 px. The page knows their ids; the HTTP cache does the rest.
    Plain,
    /// The same, after the page has asked the API for its list.
    PlainList,
    /// The same, with a service worker made of Workbox.
    Workbox,
}

/// What ours is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Opponent {
    Rival(Rival),
    /// A folder like `dist/`.
    Build(PathBuf),
}

impl FromStr for Opponent {
    type Err = String;

    /// The name of a rival, or a folder. `./plain` is a folder.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let rival = Rival::from_str(word, false);
        Ok(rival.map_or_else(|_| Self::Build(word.into()), Self::Rival))
    }
}

/// The part of a page of `/api/friends` that a page of images needs.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Friends {
    friends: Vec<Friend>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Friend {
    user_id: String,
    name: String,
    headline: String,
    picture: Picture,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Picture {
    image_id: String,
}

impl Rival {
    /// As it is named on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::PlainList => "plain-list",
            Self::Workbox => "workbox",
        }
    }

    /// Whether it has no pictures but those in the HTTP cache.
    pub(crate) fn lives_by_the_http_cache(self) -> bool {
        match self {
            Self::Plain | Self::PlainList => true,
            Self::Workbox => false,
        }
    }

    /// Whether only a second visit stores everything: on the first the worker comes after the pictures.
    pub(crate) fn needs_a_second_visit(self) -> bool {
        !self.lives_by_the_http_cache()
    }

    /// Writes the folder that a server is to serve. `modules`: a `node_modules` with Workbox in it.
    ///
    /// # Errors
    ///
    /// If there is no Workbox in `modules` and it is needed, or a file cannot be read or written.
    pub(crate) fn write(
        self,
        folder: &Path,
        friends: &Friends,
        engine: Engine,
        modules: Option<&Path>,
    ) -> Result<()> {
        let page = self.page(friends, engine)?;
        if self == Self::Workbox {
            let modules = modules.context("--workbox DIR is missing: where npm installed it")?;
            fs::write(folder.join("sw.js"), worker(&page, modules)?)?;
        }
        fs::write(folder.join(style_name()), STYLE)?;
        Ok(fs::write(folder.join("index.html"), page)?)
    }

    fn page(self, friends: &Friends, engine: Engine) -> Result<String> {
        ensure!(!friends.friends.is_empty(), "the server knows no friends");
        let script = match self {
            Self::Plain => SCRIPT.replace("/*FRIENDS*/ null", &in_script(friends)?),
            Self::PlainList => SCRIPT.to_owned(),
            Self::Workbox => SCRIPT.replace("/*HAS_WORKER*/ false", "true"),
        };
        let page = PAGE.replace("STYLE", &hash(STYLE)).replace("SCRIPT", &script);
        Ok(if engine == Engine::Chromium {
            page
        } else {
            // Nobody can put it into a page that the worker answers with.
            page.replace("<script>", "<script src=\"/__sampler.js\"></script><script>")
        })
    }
}

/// The page that is served until the server has been asked for the friends.
pub(crate) const PLACEHOLDER: &str = "<!doctype html><title>Rival</title></html>";

/// The worker in one file, so that it starts as fast as it can.
fn worker(page: &str, modules: &Path) -> Result<String> {
    let mut source = String::new();
    for name in MODULES {
        let file = modules.join(format!("workbox-{name}/build/workbox-{name}.prod.js"));
        let module =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        source.push_str(&module);
        source.push('\n');
    }
    let shell = json!([
        { "url": "/friends", "revision": hash(page) },
        { "url": format!("/{}", style_name()), "revision": null },
    ]);
    source.push_str(&WORKER.replace("/*SHELL*/ []", &shell.to_string()));
    Ok(source)
}

/// JSON that may stand in a script: it ends no element.
fn in_script(friends: &Friends) -> Result<String> {
    Ok(serde_json::to_string(friends)?.replace("</", "<\\/"))
}

/// Named by its content, so that the server lets browsers keep it.
fn style_name() -> String {
    format!("rival-{}.css", hash(STYLE))
}

fn hash(content: &str) -> String {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn friends() -> Friends {
        let picture = Picture { image_id: "0123".into() };
        let name = "Ada </script>".into();
        Friends {
            friends: vec![Friend { user_id: "ada".into(), name, headline: String::new(), picture }],
        }
    }

    #[test]
    fn a_name_is_a_rival_and_anything_else_a_folder() {
        let cases = [
            ("plain", Opponent::Rival(Rival::Plain)),
            ("plain-list", Opponent::Rival(Rival::PlainList)),
            ("./plain", Opponent::Build("./plain".into())),
            ("old/dist", Opponent::Build("old/dist".into())),
        ];
        for (word, expected) in cases {
            assert_eq!(word.parse(), Ok(expected), "{word}");
        }
    }

    #[test]
    fn only_the_plain_page_knows_its_friends_and_only_workbox_has_a_worker() {
        let cases = [
            (Rival::Plain, true, false),
            (Rival::PlainList, false, false),
            (Rival::Workbox, false, true),
        ];
        for (rival, knows, works) in cases {
            let page = rival.page(&friends(), Engine::Chromium).unwrap();
            assert_eq!(page.contains("\"image_id\":\"0123\""), knows, "{rival:?}");
            assert_eq!(page.contains("if (true) addEventListener"), works, "{rival:?}");
        }
    }

    #[test]
    fn a_name_does_not_end_the_script() {
        let page = Rival::Plain.page(&friends(), Engine::Chromium).unwrap();

        assert_eq!(page.matches("</script>").count(), 1);
    }

    #[test]
    fn a_page_is_whole_and_its_style_is_kept_for_good() {
        for engine in [Engine::Chromium, Engine::Firefox] {
            let page = Rival::PlainList.page(&friends(), engine).unwrap();
            assert!(page.contains(&format!("href=\"/{}\"", style_name())), "{page}");
            assert!(page.trim_end().ends_with("</html>"));
            assert_eq!(page.contains("/__sampler.js"), engine == Engine::Firefox);
        }
    }

    #[test]
    fn the_worker_has_its_modules_in_order_and_the_shell_by_its_content() {
        let folder = tempfile::tempdir().unwrap();
        for name in MODULES {
            let build = folder.path().join(format!("workbox-{name}/build"));
            fs::create_dir_all(&build).unwrap();
            fs::write(build.join(format!("workbox-{name}.prod.js")), format!("<{name}>")).unwrap();
        }

        let [one, other] = ["one", "other"].map(|page| worker(page, folder.path()).unwrap());

        assert!(one.starts_with("<core>\n<routing>\n<strategies>\n<precaching>\n"), "{one}");
        assert!(one.contains(&hash("one")) && !one.contains("/*SHELL*/"), "{one}");
        assert_ne!(one, other);
    }

    #[test]
    fn workbox_cannot_be_written_without_its_modules() {
        let folder = tempfile::tempdir().unwrap();

        let written = Rival::Workbox.write(folder.path(), &friends(), Engine::Chromium, None);

        assert!(written.is_err());
    }
}
