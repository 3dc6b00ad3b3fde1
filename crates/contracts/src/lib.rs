//! Rust generated from `proto/`: messages, gRPC clients and servers, the descriptor set, the table of error reasons,
//! and what all command messages have in common. Nothing here is written by hand but this page.
//!
//! Start at `proto/`: `toguna/log/v1` is what is stored, `toguna/<service>/v1` is what is called,
//! `toguna/<service>/events/v1` is what has happened.

include!(concat!(env!("OUT_DIR"), "/packages.rs"));

/// The descriptors of everything above, with comments and custom options.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

pub mod reasons {
    //! Why a call is refused: the values of every `ErrorReason` in `proto/`, with code and texts.

    use crate::toguna::errors::v1::RefusalKind;

    /// One stable reason.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Reason {
        /// Package of the enum that defines it.
        pub package: &'static str,
        /// The reason in `google.rpc.ErrorInfo`: `EXCEEDS_DECISION_CEILING`.
        pub name: &'static str,
        /// Number of the gRPC code.
        pub code: i32,
        /// English text; `{key}` stands for a value of the error's metadata.
        pub en: &'static str,
        /// French text, likewise.
        pub fr: &'static str,
        /// The same call may succeed later.
        pub retryable: bool,
        /// As what a refusal with it is kept in the journal of refusals; `None`: it is not.
        pub kept_as: Option<RefusalKind>,
    }

    /// The generated enums know their reasons.
    pub trait ReasonName {
        /// The table's entry.
        fn reason(self) -> &'static Reason;
    }

    fn find(package: &str, name: &str) -> &'static Reason {
        REASONS.iter().find(|reason| reason.package == package && reason.name == name).unwrap_or_else(|| unspecified())
    }

    /// The zero value is never given on purpose; where it is, the fault is ours.
    fn unspecified() -> &'static Reason {
        find("toguna.errors.v1", "INTERNAL")
    }

    include!(concat!(env!("OUT_DIR"), "/reasons.rs"));
}

pub mod commands {
    //! What every command message carries beside its own fields.

    /// A request that asks for events to be written.
    pub trait Command: Clone + Send + Sync + 'static {
        /// Its response, made from the receipt alone.
        type Response: From<crate::toguna::log::v1::Receipt>;
        /// The caller's id of the command: a UUID in text.
        fn request_id(&self) -> &str;
        /// Version that the caller saw, quoted; empty: any.
        fn etag(&self) -> &str;
        /// Only say what would happen.
        fn validate_only(&self) -> bool;
        /// What the command must have seen.
        fn at_least_as_fresh(&self) -> &[String];
        /// Name of the resource that it is about.
        fn name(&self) -> &str;
        /// What is said of the act.
        fn act(&self) -> Option<&crate::toguna::log::v1::Act>;
        /// The bytes of what is asked for, whatever the id, the tokens and the dry run: their hash tells two commands
        /// apart.
        fn content(self) -> Vec<u8>;
    }

    include!(concat!(env!("OUT_DIR"), "/commands.rs"));
}

pub mod queries {
    //! What the requests that ask for resources carry beside their own fields.

    use prost::{Message, Name};
    use prost_types::FieldMask;

    /// What a service keeps under a name.
    pub trait Resource: Message + Name + Default {
        /// Shows it under another name, that of a revision.
        fn set_name(&mut self, name: String);
    }

    /// A request that asks for resources of a kind.
    pub trait Query: Message + Name + Clone + Default + 'static {
        /// What is asked for.
        type Resource: Resource;
        /// Its response.
        type Response;
        /// What the answer must have seen.
        fn at_least_as_fresh(&self) -> &[String];
        /// Which fields of the resources are wanted; `None`: all.
        fn read_mask(&self) -> Option<&FieldMask>;
    }

    /// Whose resources are asked for.
    #[derive(Debug, Clone, Copy)]
    pub enum Names<'a> {
        /// The one of the field `name`.
        One(&'a str),
        /// Those of the field `names`.
        Several(&'a [String]),
    }

    /// A request for resources by their names.
    pub trait GetQuery: Query {
        /// Which.
        fn names(&self) -> Names<'_>;
        /// The day on whose evening the state of the world is asked for.
        fn as_of(&self) -> Option<&crate::toguna::r#type::v1::Date>;
        /// The response: the resources in the order of their names, each with its etag, and what they have seen.
        fn answer(resources: Vec<(Self::Resource, String)>, consistency_token: String) -> Self::Response;
    }

    /// A request for a page of a list.
    pub trait ListQuery: Query {
        /// How many at most; 0: as the service likes.
        fn page_size(&self) -> i32;
        /// Where the page begins; empty: with the first.
        fn page_token(&self) -> &str;
        /// Which resources, in the language of filters; empty: all.
        fn filter(&self) -> &str;
        /// In which order; empty: by name.
        fn order_by(&self) -> &str;
        /// The bytes of what is asked for, whatever the page, the tokens and the mask: the pages of a list have the
        /// same.
        fn content(self) -> Vec<u8>;
        /// The response: a page, where the next begins, and what it has seen.
        fn answer(resources: Vec<Self::Resource>, next_page_token: String, consistency_token: String)
        -> Self::Response;
    }

    include!(concat!(env!("OUT_DIR"), "/queries.rs"));
}
