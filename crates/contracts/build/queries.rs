//! What the requests that ask for resources have in common, as trait impls.

use std::{collections::BTreeSet, fmt::Write as _};

use anyhow::{Context as _, Result};
use prost_reflect::{DescriptorPool, Kind, MessageDescriptor, MethodDescriptor};

use super::rust_message;

/// Every request that takes a read mask asks for resources: by a name, by several names, or in pages.
pub fn impls(pool: &DescriptorPool) -> Result<String> {
    let mut code = String::new();
    let mut resources = BTreeSet::new();
    for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let request = method.input();
        if request.get_field_by_name("read_mask").is_none() {
            continue;
        }
        let (field, resource) = resource_of(&method)?;
        let input = rust_message(&request);
        writeln!(
            code,
            "impl Query for {input} {{
    type Resource = {};
    type Response = {};
    fn at_least_as_fresh(&self) -> &[String] {{ &self.at_least_as_fresh }}
    fn read_mask(&self) -> Option<&prost_types::FieldMask> {{ self.read_mask.as_ref() }}
}}",
            rust_message(&resource),
            rust_message(&method.output()),
        )?;
        code.push_str(&if request.get_field_by_name("page_token").is_some() {
            list(&input, &field)
        } else {
            get(&request, &input, &field)
        });
        resources.insert(rust_message(&resource));
    }
    for resource in resources {
        writeln!(
            code,
            "impl Resource for {resource} {{\n    fn set_name(&mut self, name: String) {{ self.name = name; }}\n}}"
        )?;
    }
    Ok(code)
}

/// The field of the answer that holds resources, and their message.
fn resource_of(method: &MethodDescriptor) -> Result<(String, MessageDescriptor)> {
    let field = method.output().get_field(1).with_context(|| format!("{} answers nothing", method.full_name()))?;
    match field.kind() {
        Kind::Message(resource) if resource.get_field_by_name("name").is_some() => {
            Ok((field.name().to_owned(), resource))
        }
        _ => anyhow::bail!("{} takes a read mask and answers with no resource", method.full_name()),
    }
}

fn list(input: &str, field: &str) -> String {
    format!(
        "impl ListQuery for {input} {{
    fn page_size(&self) -> i32 {{ self.page_size }}
    fn page_token(&self) -> &str {{ &self.page_token }}
    fn filter(&self) -> &str {{ &self.filter }}
    fn order_by(&self) -> &str {{ &self.order_by }}
    fn content(mut self) -> Vec<u8> {{
        self.page_size = 0;
        self.page_token.clear();
        self.at_least_as_fresh.clear();
        self.read_mask = None;
        prost::Message::encode_to_vec(&self)
    }}
    fn answer({field}: Vec<Self::Resource>, next_page_token: String, consistency_token: String) -> Self::Response {{
        Self::Response {{ {field}, next_page_token, consistency_token }}
    }}
}}
"
    )
}

fn get(request: &MessageDescriptor, input: &str, field: &str) -> String {
    let as_of = if request.get_field_by_name("as_of").is_some() { "self.as_of.as_ref()" } else { "None" };
    let (names, answer) = if request.get_field_by_name("names").is_some() {
        (
            "Names::Several(&self.names)",
            format!(
                "let (resources, etags) = resources.into_iter().unzip();
        Self::Response {{ {field}: resources, etags, consistency_token }}"
            ),
        )
    } else {
        (
            "Names::One(&self.name)",
            format!(
                "let (resource, etag) = resources.into_iter().next().unzip();
        Self::Response {{ {field}: resource, etag: etag.unwrap_or_default(), consistency_token }}"
            ),
        )
    };
    format!(
        "impl GetQuery for {input} {{
    fn names(&self) -> Names<'_> {{ {names} }}
    fn as_of(&self) -> Option<&crate::toguna::r#type::v1::Date> {{ {as_of} }}
    fn answer(resources: Vec<(Self::Resource, String)>, consistency_token: String) -> Self::Response {{
        {answer}
    }}
}}
"
    )
}
