//! The comments of `proto/`, by the element that they stand before.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, FileDescriptor};

/// Path of a file's package statement.
const PACKAGE: &[i32] = &[2];

/// Every leading comment, one line each.
pub struct Comments(HashMap<(String, Vec<i32>), String>);

impl Comments {
    pub fn of(pool: &DescriptorPool) -> Self {
        let mut comments = HashMap::new();
        for file in pool.files() {
            for place in file.file_descriptor_proto().source_code_info.iter().flat_map(|info| &info.location) {
                let words: Vec<&str> = place.leading_comments().split_whitespace().collect();
                if !words.is_empty() {
                    comments.insert((file.name().to_owned(), place.path.clone()), words.join(" "));
                }
            }
        }
        Self(comments)
    }

    /// What is said of an element; nothing: an empty text.
    pub fn said(&self, file: &FileDescriptor, path: &[i32]) -> &str {
        self.0.get(&(file.name().to_owned(), path.to_owned())).map(String::as_str).unwrap_or_default()
    }

    /// What one of the package's files says of it.
    pub fn of_package(&self, pool: &DescriptorPool, package: &str) -> String {
        let files = pool.files().filter(|file| file.package_name() == package);
        let said: Vec<String> = files.map(|file| self.said(&file, PACKAGE).to_owned()).collect();
        said.into_iter().filter(|said| !said.is_empty()).collect::<Vec<_>>().join(" ")
    }
}
