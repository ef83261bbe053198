//! A small XML writer: elements and text, with control characters as character references, as AWS writes them.

use super::NAMESPACE;

/// How each document begins.
pub const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// A document that grows from its root to its end.
#[derive(Debug)]
pub struct Document {
    out: String,
    open: Vec<&'static str>,
}

impl Document {
    /// Begins a document whose root is in S3's namespace.
    pub fn new(root: &'static str) -> Self {
        let mut document = Self::bare();
        document.out.push_str(&format!("<{root} xmlns=\"{NAMESPACE}\">"));
        document.open.push(root);
        document
    }

    /// Begins a document without namespace: the error document.
    pub fn plain(root: &'static str) -> Self {
        let mut document = Self::bare();
        document.open(root);
        document
    }

    /// Opens an element.
    pub fn open(&mut self, name: &'static str) -> &mut Self {
        self.out.push_str(&format!("<{name}>"));
        self.open.push(name);
        self
    }

    /// Opens an element that says of which kind it is, such as the grantee of an access control list.
    pub fn open_typed(&mut self, name: &'static str, kind: &'static str) -> &mut Self {
        let namespace = "http://www.w3.org/2001/XMLSchema-instance";
        self.out.push_str(&format!("<{name} xmlns:xsi=\"{namespace}\" xsi:type=\"{kind}\">"));
        self.open.push(name);
        self
    }

    /// Closes the element that was opened last.
    pub fn close(&mut self) -> &mut Self {
        if let Some(name) = self.open.pop() {
            self.out.push_str(&format!("</{name}>"));
        }
        self
    }

    /// An element with text.
    pub fn text(&mut self, name: &'static str, text: &str) -> &mut Self {
        if text.is_empty() {
            self.out.push_str(&format!("<{name}/>"));
            return self;
        }
        self.out.push_str(&format!("<{name}>"));
        escape(text, &mut self.out);
        self.out.push_str(&format!("</{name}>"));
        self
    }

    /// An element with text, where there is one.
    pub fn optional(&mut self, name: &'static str, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    /// The text of the root itself, for documents such as `LocationConstraint`.
    pub fn content(&mut self, text: &str) -> &mut Self {
        escape(text, &mut self.out);
        self
    }

    /// The finished document.
    pub fn finish(&mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        std::mem::take(&mut self.out)
    }

    fn bare() -> Self {
        Self { out: DECLARATION.to_owned(), open: Vec::new() }
    }
}

/// Keys may hold characters that XML cannot: AWS writes them as references all the same, and clients read them.
fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c < ' ' || matches!(c, '\u{7f}' | '\u{85}' | '\u{2028}' | '\u{fffe}' | '\u{ffff}') => {
                out.push_str(&format!("&#x{:x};", u32::from(c)));
            }
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_control_characters_become_references() {
        let mut document = Document::new("ListBucketResult");
        document
            .open("Contents")
            .text("Key", "a<b>&\"c\"\u{3}\r\n")
            .close()
            .text("Prefix", "")
            .optional("Marker", None);
        assert_eq!(
            document.finish(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Contents>\
             <Key>a&lt;b&gt;&amp;&quot;c&quot;&#x3;&#xd;&#xa;</Key></Contents><Prefix/></ListBucketResult>"
        );
    }
}
