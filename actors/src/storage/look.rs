//! What is found at the place of a backend before it is opened: shown by plans and probes, and by what refuses a place.

/// What is found at a backend's place. Looking changes nothing there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether and how it can be used.
    pub state: LookState,
    /// The id that it bears.
    pub backend_id: Option<String>,
    /// How many buckets are there, as far as that can be seen.
    pub buckets: Option<usize>,
    /// The same for people.
    pub message: String,
}

/// Whether and how a place can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookState {
    /// Nothing is there yet: it is initialised when it is opened.
    New,
    /// It is a backend, and the expected one where one is expected.
    Ready,
    /// It is another backend than the expected one: `adopt` takes it over.
    Foreign,
    /// One is expected and none is there: `init` makes it, if it is not only unmounted.
    Lost,
    /// It cannot be used as it is.
    Unusable,
}

impl LookState {
    /// The word for it, which never changes.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Ready => "ready",
            Self::Foreign => "foreign",
            Self::Lost => "lost",
            Self::Unusable => "unusable",
        }
    }
}
