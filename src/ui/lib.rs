//! The page that the worker serves. Its sources are in `app/`, and what a bundler made of them in `dist/` (`make ui`), which
//! is kept in the repository, so that building the program needs neither Node nor a network.

/// A file of the page.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Its name in `dist/`.
    pub name: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// For `ETag`, with quotes: another one when a byte changes.
    pub tag: &'static str,
    /// As it is.
    pub raw: &'static [u8],
    /// By gzip.
    pub gzip: &'static [u8],
    /// By Brotli.
    pub brotli: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// What documents of the page may do. Nothing comes from elsewhere, nothing is inline, and no text becomes markup or code.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// The file of that name.
pub fn asset(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_files_that_there_are() {
        let index = std::str::from_utf8(asset("index.html").unwrap().raw).unwrap();
        let names: Vec<_> = index.split("assets/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert_eq!(names, ["favicon.svg", "app.css", "app.js"]);
        assert!(names.iter().chain(&["firing.svg"]).all(|name| asset(name).is_some()));
        assert!(asset("../Cargo.toml").is_none());
    }

    #[test]
    fn the_page_keeps_to_its_policy() {
        let index = std::str::from_utf8(asset("index.html").unwrap().raw).unwrap();
        for forbidden in [" style=", " onload=", " onclick=", "<style", "data:", "javascript:"] {
            assert!(!index.contains(forbidden), "{forbidden} is in the page");
        }
        assert_eq!(index.matches("<script").count(), index.matches(" src=\"assets/").count());
    }

    /// Budgets of the study (spec/ui.md 3.3): what a first visit loads.
    #[test]
    fn the_page_is_small() {
        let gzip = |name| asset(name).unwrap().gzip.len();
        assert!(gzip("app.js") <= 60_000, "{} bytes of script", gzip("app.js"));
        assert!(gzip("app.css") <= 10_000, "{} bytes of style", gzip("app.css"));
    }
}
