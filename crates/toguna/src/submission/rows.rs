//! From what a row says to the request that is sent.

use std::collections::BTreeSet;

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, ReflectMessage as _};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    Problem, catalogue,
    headings::{self, Leaf, Special, Target},
    table::{Cell, Record},
    values::{self, Manner},
};
use crate::{language::Language, services};

/// A row that can be sent.
#[derive(Debug, Clone)]
pub struct Row {
    /// The file, as it was named.
    pub file: String,
    /// Its line there.
    pub line: u64,
    /// What is asked for.
    pub method: MethodDescriptor,
    /// The request, without id, tokens and dry run.
    pub request: DynamicMessage,
    /// The id that the author gave it.
    pub request_id: Option<Uuid>,
    /// The heading over each field that was filled in, by the field's path: what a refusal speaks of.
    pub columns: Vec<(String, String)>,
}

impl Row {
    /// The service that decides on it.
    pub fn service(&self) -> &str {
        services::owner(self.method.parent_service().package_name())
    }

    /// The resource that the command is about.
    pub fn resource(&self) -> String {
        let name = self.request.get_field_by_name("name");
        name.and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Every resource that the request speaks of.
    pub fn mentioned(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        mentioned(&self.request, &mut names);
        names
    }

    /// The heading over the field that a service calls so, where there is one.
    pub fn heading(&self, field: &str) -> Option<&str> {
        let mut path = String::new();
        for part in field.split('.') {
            let part = part.split('[').next().unwrap_or_default();
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(part);
        }
        let over = |(known, _): &&(String, String)| *known == path || known.starts_with(&format!("{path}."));
        self.columns.iter().find(over).map(|(_, heading)| heading.as_str())
    }
}

fn mentioned(message: &DynamicMessage, names: &mut BTreeSet<String>) {
    message.fields().for_each(|(_, value)| mentioned_in(value, names));
}

fn mentioned_in(value: &prost_reflect::Value, names: &mut BTreeSet<String>) {
    match value {
        prost_reflect::Value::String(text) if is_name(text) => {
            names.insert(text.clone());
        }
        prost_reflect::Value::Message(message) => mentioned(message, names),
        prost_reflect::Value::List(values) => values.iter().for_each(|value| mentioned_in(value, names)),
        _ => {}
    }
}

/// `partners/ml-mmeia`.
fn is_name(text: &str) -> bool {
    let word = |text: &str| {
        !text.is_empty() && text.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-')
    };
    text.split_once('/').is_some_and(|(kind, id)| word(kind) && word(id))
}

/// What a row asks for, or all that is wrong with it. `command`: where the row does not say.
pub fn row(
    file: &str,
    record: &Record,
    command: Option<&MethodDescriptor>,
    language: Language,
) -> Result<Row, Vec<Problem>> {
    let problem = |heading: &str, text: String| Problem::at(file, record.line, heading, text);
    let named = |wanted: Special| record.cells.iter().find(|cell| headings::special(&cell.heading) == Some(wanted));
    let method = match named(Special::Command) {
        Some(cell) => {
            catalogue::find(text_of(&cell.value), language).map_err(|text| vec![problem(&cell.heading, text)])?
        }
        None => command.cloned().ok_or_else(|| vec![problem("", no_command(language))])?,
    };
    let currency = named(Special::Currency).map(|cell| text_of(&cell.value)).unwrap_or_default();
    let mut form = Form::of(&method, method.input(), event(&method, record), currency, language);
    let mut request_id = None;
    for cell in &record.cells {
        match headings::special(&cell.heading) {
            Some(Special::Command | Special::Currency) => {}
            Some(Special::Ours) => form.wrong(&cell.heading, say_ours(language)),
            Some(Special::RequestId) => match Uuid::parse_str(text_of(&cell.value)) {
                Ok(id) => request_id = Some(id),
                Err(_) => form.wrong(&cell.heading, no_uuid(language)),
            },
            None => form.fill(cell),
        }
    }
    if !form.columns.iter().any(|(path, _)| path == "name") {
        form.wrong("name", no_resource(language));
    }
    let Form { tree, columns, mut problems, .. } = form;
    let request = DynamicMessage::deserialize(method.input(), Value::Object(tree));
    match request {
        Ok(request) if problems.is_empty() => {
            Ok(Row { file: file.to_owned(), line: record.line, method, request, request_id, columns })
        }
        read => {
            if let (Err(error), true) = (read, problems.is_empty()) {
                problems.push((String::new(), error.to_string()));
            }
            Err(problems.into_iter().map(|(heading, text)| problem(&heading, text)).collect())
        }
    }
}

fn no_command(language: Language) -> String {
    language.say(
        "the row names no command: add a column `command`, or say --command".to_owned(),
        "la ligne ne nomme pas de commande : ajoutez une colonne « commande », ou dites --command".to_owned(),
    )
}

fn say_ours(language: Language) -> String {
    language.say("this is not the file’s to say".to_owned(), "ce n’est pas au fichier de le dire".to_owned())
}

fn no_uuid(language: Language) -> String {
    language.say(
        "this is no UUID; without the column each row gets its own id".to_owned(),
        "ce n’est pas un UUID ; sans la colonne, chaque ligne reçoit le sien".to_owned(),
    )
}

fn no_resource(language: Language) -> String {
    language.say(
        "the row names no resource: partners/…, agreements/…, decisions/…".to_owned(),
        "la ligne ne nomme pas de ressource : partners/…, agreements/…, decisions/…".to_owned(),
    )
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The type of event that a row of a correction speaks of, by its full name or by that of its service's event.
fn event(method: &MethodDescriptor, record: &Record) -> Option<MessageDescriptor> {
    let input = method.input();
    let resolved = |cell: &&Cell| headings::resolve(&input, &cell.heading, None);
    let is_type = |cell: &&Cell| resolved(cell).is_ok_and(|target| target.leaf == Leaf::EventType);
    event_named(method, text_of(&record.cells.iter().find(is_type)?.value))
}

fn event_named(method: &MethodDescriptor, name: &str) -> Option<MessageDescriptor> {
    let service = services::owner(method.parent_service().package_name());
    let pool = services::pool();
    let known = pool.get_message_by_name(name);
    known.or_else(|| pool.get_message_by_name(&format!("toguna.{service}.events.v1.{name}")))
}

/// The message that stands for any other one.
const ANY: &str = "google.protobuf.Any";

fn type_url(event: &MessageDescriptor) -> String {
    format!("type.googleapis.com/{}", event.full_name())
}

/// A request in the making.
struct Form<'a> {
    method: &'a MethodDescriptor,
    input: MessageDescriptor,
    event: Option<MessageDescriptor>,
    currency: &'a str,
    language: Language,
    tree: Map<String, Value>,
    columns: Vec<(String, String)>,
    problems: Vec<(String, String)>,
}

impl<'a> Form<'a> {
    fn of(
        method: &'a MethodDescriptor,
        input: MessageDescriptor,
        event: Option<MessageDescriptor>,
        currency: &'a str,
        language: Language,
    ) -> Self {
        let (tree, columns, problems) = (Map::new(), Vec::new(), Vec::new());
        Self { method, input, event, currency, language, tree, columns, problems }
    }

    fn wrong(&mut self, heading: &str, text: String) {
        self.problems.push((heading.to_owned(), text));
    }

    fn fill(&mut self, cell: &Cell) {
        let target = match headings::resolve(&self.input, &cell.heading, self.event.as_ref()) {
            Ok(target) => target,
            Err(near) => {
                let text = self.no_field(near);
                return self.wrong(&cell.heading, text);
            }
        };
        self.columns.push((target.path(), cell.heading.clone()));
        if let Err(text) = self.place(&target, cell) {
            self.wrong(&cell.heading, text);
        }
    }

    fn no_field(&self, near: Option<String>) -> String {
        let command = self.input.name().strip_suffix("Request").unwrap_or(self.input.name());
        let english = near.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        let french = near.map(|near| format!(" ; vouliez-vous dire {near} ?")).unwrap_or_default();
        self.language
            .say(format!("{command} has no such field{english}"), format!("{command} n’a pas ce champ{french}"))
    }

    fn place(&mut self, target: &Target, cell: &Cell) -> Result<(), String> {
        let manner = Manner { french: target.french, currency: self.currency, language: self.language };
        let lists = target.steps.iter().filter(|step| step.field.is_list() && step.index.is_none()).count();
        let Some(text) = cell.value.as_str().filter(|_| lists > 0) else {
            let value = self.value(target, &cell.value, manner)?;
            return self.put(target, cell.occurrence, value);
        };
        for (place, part) in parts(text).iter().enumerate().filter(|(_, part)| !part.is_empty()) {
            let value = self.value(target, &json!(part), manner)?;
            self.put(target, cell.occurrence + place, value)?;
        }
        Ok(())
    }

    fn value(&self, target: &Target, value: &Value, manner: Manner<'_>) -> Result<Value, String> {
        match (target.leaf, value, target.steps.last()) {
            (Leaf::Wording(origin), Value::String(text), _) => Ok(json!({ "text": text, "origin": origin })),
            (Leaf::Wording(_), ..) => Err(self.language.say("this is a text".to_owned(), "c’est un texte".to_owned())),
            (Leaf::EventType, ..) => match &self.event {
                Some(event) => Ok(json!({ "@type": type_url(event) })),
                None => Err(self.no_event()),
            },
            (Leaf::Value, Value::String(text), Some(step)) if step.field.name() == "etag" => Ok(json!(quoted(text))),
            (Leaf::Value, value, Some(step)) => self.nested(&step.field, value, manner),
            (Leaf::Value, value, None) => Ok(value.clone()),
        }
    }

    /// A value as JSON has it: objects and lists as they are, texts read as cells are.
    fn nested(&self, field: &FieldDescriptor, value: &Value, manner: Manner<'_>) -> Result<Value, String> {
        match (value, field.kind()) {
            (Value::String(text), _) => values::read(field, text, manner),
            (Value::Array(values), _) => values
                .iter()
                .map(|value| self.nested(field, value, manner))
                .collect::<Result<Vec<_>, _>>()
                .map(Value::from),
            (Value::Object(fields), Kind::Message(message)) if message.full_name() != ANY => {
                self.object(message, fields).map(Value::Object)
            }
            (Value::Object(fields), Kind::Message(_)) if fields.contains_key("type") => {
                let mut fields = fields.clone();
                let name = fields.remove("type").unwrap_or_default();
                let event = event_named(self.method, text_of(&name)).ok_or_else(|| self.no_event())?;
                let mut inner = self.object(event.clone(), &fields)?;
                inner.insert("@type".to_owned(), json!(type_url(&event)));
                Ok(Value::Object(inner))
            }
            (Value::Number(_), Kind::String) => Ok(json!(value.to_string())),
            (value, _) => Ok(value.clone()),
        }
    }

    fn object(&self, message: MessageDescriptor, fields: &Map<String, Value>) -> Result<Map<String, Value>, String> {
        let mut inner = Form::of(self.method, message, self.event.clone(), self.currency, self.language);
        for (heading, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
            inner.fill(&Cell { heading: heading.clone(), occurrence: 0, value: value.clone() });
        }
        let told: Vec<_> = inner.problems.iter().map(|(heading, text)| format!("{heading}: {text}")).collect();
        if told.is_empty() { Ok(inner.tree) } else { Err(told.join("\n")) }
    }

    fn no_event(&self) -> String {
        self.language.say("there is no such event".to_owned(), "il n’y a pas de tel événement".to_owned())
    }

    /// Puts a value where it belongs; `element` says which one of the list on the way, unless the heading does.
    fn put(&mut self, target: &Target, element: usize, value: Value) -> Result<(), String> {
        let twice = self.language.say("the field is filled in twice", "le champ est rempli deux fois").to_owned();
        // A wording inside its own text: `{"official": "…"}`.
        if let (true, Value::Object(fields)) = (target.steps.is_empty(), &value) {
            self.tree.extend(fields.clone());
        }
        let mut place = &mut self.tree;
        for (at, step) in target.steps.iter().enumerate() {
            let last = at + 1 == target.steps.len();
            let name = step.field.name().to_owned();
            if !step.field.is_list() {
                if last {
                    return set(place, name, value).then_some(()).ok_or(twice);
                }
                place = place.entry(name).or_insert_with(|| json!({})).as_object_mut().ok_or_else(|| twice.clone())?;
                continue;
            }
            if let (true, Value::Array(_)) = (last, &value) {
                return set(place, name, value).then_some(()).ok_or(twice);
            }
            let elements =
                place.entry(name).or_insert_with(|| json!([])).as_array_mut().ok_or_else(|| twice.clone())?;
            if last && step.index.is_none() {
                elements.push(value);
                return Ok(());
            }
            let index = step.index.unwrap_or(element);
            while elements.len() <= index {
                elements.push(if last { Value::Null } else { json!({}) });
            }
            if last {
                elements[index] = value;
                return Ok(());
            }
            place = elements[index].as_object_mut().ok_or_else(|| twice.clone())?;
        }
        Ok(())
    }
}

/// Sets a field once; the type and the fields of an event come from several columns and go together.
fn set(place: &mut Map<String, Value>, name: String, value: Value) -> bool {
    match (place.get_mut(&name), value) {
        (None, value) => {
            place.insert(name, value);
            true
        }
        (Some(Value::Object(known)), Value::Object(more)) if more.keys().all(|key| !known.contains_key(key)) => {
            known.extend(more);
            true
        }
        _ => false,
    }
}

/// The parts between `|`; `\|` is the sign itself.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' if chars.peek() == Some(&'|') => parts.last_mut().expect("never empty").extend(chars.next()),
            '|' => parts.push(String::new()),
            char => parts.last_mut().expect("never empty").push(char),
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).collect()
}

/// A version as services want it: in quotation marks.
fn quoted(version: &str) -> String {
    format!("\"{}\"", version.trim_matches('"'))
}

/// The row with what is sent beside its own fields.
pub fn request(row: &DynamicMessage, request_id: Uuid, tokens: Vec<String>, dry: bool) -> DynamicMessage {
    let mut request = row.clone();
    let tokens = tokens.into_iter().map(prost_reflect::Value::String).collect();
    for (name, value) in [
        ("request_id", prost_reflect::Value::String(request_id.to_string())),
        ("at_least_as_fresh", prost_reflect::Value::List(tokens)),
        ("validate_only", prost_reflect::Value::Bool(dry)),
    ] {
        debug_assert!(request.descriptor().get_field_by_name(name).is_some(), "every command has {name}");
        request.set_field_by_name(name, value);
    }
    request
}

#[cfg(test)]
mod tests;
