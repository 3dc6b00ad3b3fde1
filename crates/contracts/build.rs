//! Compiles `proto/` without protoc: messages, clients and servers, the descriptor set, the table of error reasons
//! and the trait impls that every command message shares.

#[path = "build/queries.rs"]
mod queries;

use std::{env, fmt::Write as _, fs, path::PathBuf};

use anyhow::{Context as _, Result};
use prost::Message as _;
use prost_reflect::{DescriptorPool, EnumValueDescriptor, MessageDescriptor};
use prost_types::FileDescriptorSet;

fn main() -> Result<()> {
    let proto = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", proto.display());
    let files = proto_files(&proto)?;
    let out = PathBuf::from(env::var("OUT_DIR")?);

    let mut compiler = protox::Compiler::new([&proto])?;
    compiler.include_source_info(true).include_imports(true);
    compiler.open_files(&files)?;
    // The pool's own bytes keep the custom options that typed descriptors would drop.
    let pool = compiler.descriptor_pool();
    fs::write(out.join("descriptors.bin"), pool.encode_to_vec())?;
    fs::write(out.join("reasons.rs"), reasons(&pool)?)?;
    fs::write(out.join("commands.rs"), commands(&pool)?)?;
    fs::write(out.join("queries.rs"), queries::impls(&pool)?)?;

    let mut files = FileDescriptorSet::decode(pool.encode_to_vec().as_slice())?;
    // Rules are read from the descriptors.
    files.file.retain(|file| !["buf.validate", "toguna.rules.v1"].contains(&file.package()));
    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names().include_file("packages.rs");
    tonic_prost_build::configure()
        // Sent and received by the hundred thousand: slices of what is there already.
        .bytes(".toguna.log.v1.ReplayedEvent.record")
        .compile_fds_with_config(files, config)?;
    Ok(())
}

fn proto_files(root: &PathBuf) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "proto") {
                files.push(path.strip_prefix(root)?.to_owned());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Every value of an enum named `ErrorReason`, with what its `explanation` option says.
fn reasons(pool: &DescriptorPool) -> Result<String> {
    let extension = pool
        .get_extension_by_name("toguna.errors.v1.explanation")
        .context("proto/toguna/errors/v1/options.proto defines the explanation")?;
    let mut table = String::from("/// Every reason, by package.\npub static REASONS: &[Reason] = &[\n");
    for reasons in pool.all_enums().filter(|each| each.name() == "ErrorReason") {
        for value in reasons.values().filter(is_given) {
            let options = value.options();
            anyhow::ensure!(options.has_extension(&extension), "{} needs an explanation", value.name());
            let explanation = options.get_extension(&extension);
            let field =
                |name: &str| explanation.as_message().and_then(|m| m.get_field_by_name(name).map(|v| v.into_owned()));
            let text = |name: &str| field(name).and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
            let code = field("code").and_then(|v| v.as_enum_number()).unwrap_or_default();
            let retryable = field("retryable").and_then(|v| v.as_bool()).unwrap_or_default();
            let kept_as = match field("kept_as").and_then(|v| v.as_enum_number()).unwrap_or_default() {
                0 => "None".to_owned(),
                number => format!("Some({})", refusal_kind(pool, number)?),
            };
            anyhow::ensure!(
                code != 0 && !text("en").is_empty() && !text("fr").is_empty(),
                "{} is explained in part",
                value.name()
            );
            writeln!(
                table,
                "    Reason {{ package: {:?}, name: {:?}, code: {code}, en: {:?}, fr: {:?}, retryable: {retryable}, kept_as: {kept_as} }},",
                reasons.package_name(),
                short_name(&value),
                text("en"),
                text("fr"),
            )?;
        }
    }
    table.push_str("];\n");
    for reasons in pool.all_enums().filter(|each| each.name() == "ErrorReason") {
        let path = rust_path(reasons.package_name());
        writeln!(
            table,
            "impl ReasonName for {path}::ErrorReason {{\n    fn reason(self) -> &'static Reason {{\n        match self {{"
        )?;
        for value in reasons.values().filter(is_given) {
            let name = short_name(&value);
            writeln!(table, "            Self::{} => find({:?}, {name:?}),", variant(&name), reasons.package_name())?;
        }
        table.push_str("            _ => unspecified(),\n        }\n    }\n}\n");
    }
    Ok(table)
}

/// Whether a value of an enumeration of reasons is one. What no program gives any more stays in `proto/` as deprecated.
fn is_given(value: &EnumValueDescriptor) -> bool {
    value.number() != 0 && value.options().get_field_by_name("deprecated").is_none_or(|it| it.as_bool() != Some(true))
}

fn refusal_kind(pool: &DescriptorPool, number: i32) -> Result<String> {
    let kinds = pool.get_enum_by_name("toguna.errors.v1.RefusalKind").context("options.proto defines the kinds")?;
    let kind = kinds.get_value(number).context("a kind of refusal")?;
    Ok(format!("RefusalKind::{}", variant(kind.name().trim_start_matches("REFUSAL_KIND_"))))
}

fn short_name(value: &EnumValueDescriptor) -> String {
    value.name().trim_start_matches("ERROR_REASON_").to_owned()
}

fn variant(screaming: &str) -> String {
    screaming
        .split('_')
        .map(|word| {
            let (first, rest) = word.split_at(1);
            format!("{first}{}", rest.to_lowercase())
        })
        .collect()
}

/// A command is a request with a request id and an act; its response carries the receipt.
fn commands(pool: &DescriptorPool) -> Result<String> {
    let mut code = String::new();
    for service in pool.services() {
        for method in service.methods() {
            let request = method.input();
            if request.get_field_by_name("request_id").is_none() {
                continue;
            }
            for field in ["request_id", "etag", "validate_only", "at_least_as_fresh", "act", "name"] {
                anyhow::ensure!(request.get_field_by_name(field).is_some(), "{} lacks {field}", request.full_name());
            }
            let (input, output) = (rust_message(&request), rust_message(&method.output()));
            writeln!(
                code,
                "impl Command for {input} {{
    type Response = {output};
    fn request_id(&self) -> &str {{ &self.request_id }}
    fn etag(&self) -> &str {{ &self.etag }}
    fn validate_only(&self) -> bool {{ self.validate_only }}
    fn at_least_as_fresh(&self) -> &[String] {{ &self.at_least_as_fresh }}
    fn name(&self) -> &str {{ &self.name }}
    fn act(&self) -> Option<&crate::toguna::log::v1::Act> {{ self.act.as_ref() }}
    fn content(mut self) -> Vec<u8> {{
        self.request_id.clear();
        self.validate_only = false;
        self.at_least_as_fresh.clear();
        prost::Message::encode_to_vec(&self)
    }}
}}
impl From<crate::toguna::log::v1::Receipt> for {output} {{
    fn from(receipt: crate::toguna::log::v1::Receipt) -> Self {{
        Self {{ receipt: Some(receipt) }}
    }}
}}",
            )?;
        }
    }
    Ok(code)
}

fn rust_message(message: &MessageDescriptor) -> String {
    format!("{}::{}", rust_path(message.package_name()), message.name())
}

fn rust_path(package: &str) -> String {
    format!("crate::{}", package.replace('.', "::").replace("::type::", "::r#type::"))
}
