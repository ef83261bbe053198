//! The console's files as the build script embedded them, and the form of each that a client takes.

/// One file of the console.
#[derive(Debug)]
pub(super) struct File {
    /// Below `/_/`: `index.html`, `assets/index-Bx3k.js`.
    pub(super) path: &'static str,
    plain: &'static [u8],
    br: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

/// Every file; empty where the server was built without the console.
static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/console.rs"));

/// The file of a path below `/_/`.
pub(super) fn file(path: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.path == path)
}

impl File {
    /// The smallest form that the client takes, and the name of its coding.
    pub(super) fn form(&self, accept_encoding: &str) -> (&'static [u8], Option<&'static str>) {
        let coded = [("br", self.br), ("gzip", self.gzip)];
        let taken = coded
            .into_iter()
            .find_map(|(coding, bytes)| Some((coding, bytes?)).filter(|_| takes(accept_encoding, coding)));
        taken.map_or((self.plain, None), |(coding, bytes)| (bytes, Some(coding)))
    }

    /// What it is, by its name's end.
    pub(super) fn kind(&self) -> &'static str {
        match self.path.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some("png") => "image/png",
            Some("woff2") => "font/woff2",
            Some("json" | "webmanifest") => "application/json",
            _ => "application/octet-stream",
        }
    }
}

/// Whether `Accept-Encoding` takes a coding: named, or by `*`, and not with the weight zero (RFC 9110 §12.5.3).
fn takes(accept_encoding: &str, coding: &str) -> bool {
    let weight = |wanted: &str| {
        accept_encoding.split(',').find_map(|item| {
            let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
            let q = parameters.trim().strip_prefix("q=").and_then(|q| q.trim().parse::<f32>().ok());
            name.trim().eq_ignore_ascii_case(wanted).then(|| q.unwrap_or(1.0))
        })
    };
    weight(coding).or_else(|| weight("*")).is_some_and(|q| q > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_the_smallest_form_that_it_takes() {
        let file = File { path: "assets/a.js", plain: b"plain", br: Some(b"b"), gzip: Some(b"gz") };
        for (accepts, form) in [
            ("gzip, deflate, br, zstd", (&b"b"[..], Some("br"))),
            ("gzip, deflate", (b"gz", Some("gzip"))),
            ("br;q=0, gzip;q=0.5", (b"gz", Some("gzip"))),
            ("*", (b"b", Some("br"))),
            ("br;q=0, *;q=0", (b"plain", None)),
            ("identity", (b"plain", None)),
            ("", (b"plain", None)),
            ("brotli", (b"plain", None)),
        ] {
            assert_eq!(file.form(accepts), form, "{accepts}");
        }
        let bare = File { path: "assets/a.woff2", plain: b"plain", br: None, gzip: None };
        assert_eq!(bare.form("br, gzip"), (&b"plain"[..], None));
        assert_eq!((file.kind(), bare.kind()), ("text/javascript; charset=utf-8", "font/woff2"));
    }
}
