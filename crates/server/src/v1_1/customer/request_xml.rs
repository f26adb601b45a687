//! Reading `<root><customer>…</customer><customer>…</customer></root>`.
//!
//! The body must be well-formed XML with at least one `customer` in `root`; otherwise the whole
//! request fails at a line and a column of the decoded text. From there on each customer is read
//! alone, by the reader of JSON: an element with text is a text, one with elements an object,
//! elements of one name side by side are an array, and an empty one is not passed. So both formats
//! give the same customer, and there is one place that knows the members.
//!
//! The converted form of older documentation is read too: `root` in `root`, and `element` around
//! each entry of a list. Attributes, comments and processing instructions are ignored. There are no
//! entities but the five of XML itself, and no document types.

use patron_rules::submission::Submission;
use patron_rules::text;
use quick_xml::events::{BytesRef, Event};
use quick_xml::reader::Reader;
use serde_json::value::to_raw_value;
use serde_json::{Map, Value};

use super::decoded::{DEPTH_LIMIT, Error};
use super::place::{Place, entry};
use super::request;
use super::xml_tag::{Prefixes, is_character};
use crate::v1_1::format::Format;

/// The most elements of one body: each costs memory, and few bytes make one.
pub(crate) const ELEMENT_LIMIT: usize = 200_000;
/// The most bytes of one tag, with its attributes.
pub(crate) const TAG_LIMIT_BYTES: usize = 64 * 1024;
/// The name of an entry in the converted form of a list.
const ENTRY: &str = "element";
const CHANNEL_MEMBERS: [&str; 5] = ["type", "value", "primary", "verified", "meta"];
/// The member that stands for text beside elements, which no member takes.
const MIXED_TEXT: &str = "#text";

/// An element, without its attributes.
struct Element<'a> {
    /// Without its prefix.
    name: &'a str,
    text: String,
    children: Vec<Element<'a>>,
}

impl<'a> Element<'a> {
    const fn new(name: &'a str) -> Self {
        Self { name, text: String::new(), children: Vec::new() }
    }

    fn has_text(&self) -> bool {
        !text::is_blank(&self.text)
    }

    /// A list of the converted form.
    fn is_converted_list(&self) -> bool {
        !self.children.is_empty() && self.children.iter().all(|child| child.name == ENTRY)
    }

    /// `<commChannels><channel>…</channel>…</commChannels>`, under whatever name for an entry,
    /// rather than one channel itself.
    fn is_list_of_channels(&self) -> bool {
        let entry = |child: &Self| !CHANNEL_MEMBERS.contains(&child.name) && !child.has_text();
        self.name == "commChannels" && !self.children.is_empty() && self.children.iter().all(entry)
    }
}

/// The customers of a body, each still to be read.
pub struct Batch {
    /// How many there are.
    pub count: usize,
    /// The first element beside the customers that is not known, as a JSON pointer.
    pub unknown: Option<String>,
    customers: Vec<Value>,
}

impl Batch {
    /// Reads each customer, and says where they stand; collects their unknown members on demand.
    #[must_use]
    pub fn customers(&self, collect_unknown: bool) -> Vec<(Submission, Place)> {
        let read = |(index, customer): (usize, &Value)| {
            let raw = to_raw_value(customer).unwrap_or_default();
            let place = entry("/root/customer", index, false);
            request::submission(&raw, place, collect_unknown, Format::Xml)
        };
        self.customers.iter().enumerate().map(read).collect()
    }
}

/// Reads a body as far as its customers.
///
/// # Errors
/// What cannot be read, and where.
pub fn decode(text: &str) -> Result<Batch, Error> {
    let (document, place) = document(text)?;
    let refused = |reason| Err(Error::at(reason, text.as_bytes(), place));
    if document.name != "root" {
        return refused("the document element is not `root`");
    }
    let mut root = &document;
    while let [only] = root.children.as_slice()
        && only.name == "root"
    {
        root = only;
    }
    let mut customers = Vec::new();
    let mut unknown = root.has_text().then_some(MIXED_TEXT);
    for element in &root.children {
        if element.name != "customer" {
            unknown = unknown.or(Some(element.name));
        } else if element.is_converted_list() {
            customers.extend(element.children.iter().map(customer));
        } else {
            customers.push(customer(element));
        }
    }
    if customers.is_empty() {
        return refused("root holds no customer");
    }
    let unknown = unknown.map(|name| format!("/root/{name}"));
    Ok(Batch { count: customers.len(), unknown, customers })
}

/// Reads a text's document element, and says where it begins.
fn document(text: &str) -> Result<(Element<'_>, usize), Error> {
    if let Some((place, _)) = text.char_indices().find(|(_, c)| !is_character(*c)) {
        let reason = "a character that XML does not allow";
        return Err(Error::at(reason, text.as_bytes(), place));
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut tree = Tree::default();
    loop {
        let start = offset(reader.buffer_position());
        let at = |reason: &str| Error::at(reason, text.as_bytes(), start);
        let event = reader.read_event().map_err(|error| {
            let place = offset(reader.error_position());
            Error::at(&error.to_string(), text.as_bytes(), place)
        })?;
        let read = match event {
            Event::Start(_) => {
                // Of the text rather than of the event, which would not outlive the next one.
                let tag = text.get(start..offset(reader.buffer_position())).unwrap_or_default();
                tree.open(tag, start)
            }
            Event::End(_) => tree.close(),
            Event::Text(part) => tree.text(&part.xml10_content()),
            Event::CData(part) => tree.text(&part.xml10_content()),
            Event::GeneralRef(reference) => resolve(&reference)
                .and_then(|resolved| tree.text(resolved.encode_utf8(&mut [0; 4]))),
            Event::DocType(_) => Err("a document type is not allowed"),
            Event::Eof => break,
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::Empty(_) => Ok(()),
        };
        read.map_err(at)?;
    }
    let end = |reason: &str| Error::at(reason, text.as_bytes(), text.len());
    if let Some(open) = tree.open.last() {
        return Err(end(&format!("the element `{}` is not closed", open.name)));
    }
    tree.document.ok_or_else(|| end("the body holds no element"))
}

fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

/// The character of a reference.
fn resolve(reference: &BytesRef<'_>) -> Result<char, &'static str> {
    let resolved = reference.resolve_char_ref();
    match resolved.map_err(|_| "a reference to no character")? {
        Some(character) if is_character(character) => Ok(character),
        Some(_) => Err("a reference to no character"),
        None => match &**reference {
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "amp" => Ok('&'),
            "apos" => Ok('\''),
            "quot" => Ok('"'),
            _ => Err("an entity that XML does not predefine is not allowed"),
        },
    }
}

/// The elements that were read.
#[derive(Default)]
struct Tree<'a> {
    open: Vec<Element<'a>>,
    prefixes: Prefixes<'a>,
    document: Option<(Element<'a>, usize)>,
    count: usize,
    /// Where the document element begins.
    place: usize,
}

impl<'a> Tree<'a> {
    fn open(&mut self, tag: &'a str, place: usize) -> Result<(), &'static str> {
        self.count = self.count.saturating_add(1);
        if self.document.is_some() {
            return Err("an element behind the document element");
        }
        if self.open.len() >= DEPTH_LIMIT {
            return Err("nested too deep (32 levels are allowed)");
        }
        if self.count > ELEMENT_LIMIT {
            return Err("too many elements (200000 are allowed)");
        }
        if tag.len() > TAG_LIMIT_BYTES {
            return Err("a tag is too long (65536 bytes are allowed)");
        }
        if self.open.is_empty() {
            self.place = place;
        }
        let name = self.prefixes.open(tag, self.open.len())?;
        self.open.push(Element::new(name));
        Ok(())
    }

    fn close(&mut self) -> Result<(), &'static str> {
        let closed = self.open.pop().ok_or("an end without a beginning")?;
        self.prefixes.close(self.open.len());
        match self.open.last_mut() {
            Some(parent) => parent.children.push(closed),
            None => self.document = Some((closed, self.place)),
        }
        Ok(())
    }

    fn text(&mut self, part: &str) -> Result<(), &'static str> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(part),
            None if part.trim().is_empty() => {}
            None => return Err("text outside of the document element"),
        }
        Ok(())
    }
}

/// A customer as the reader of JSON takes it.
fn customer(element: &Element<'_>) -> Value {
    if element.children.is_empty() && element.has_text() {
        return Value::String(element.text.clone());
    }
    Value::Object(members(element))
}

/// An element as JSON would have it.
fn value(element: &Element<'_>) -> Value {
    match element.children.as_slice() {
        [] if element.has_text() => Value::String(element.text.clone()),
        [] => Value::Null,
        entries if element.is_converted_list() || element.is_list_of_channels() => {
            let entries = entries.iter().map(value).filter(|entry| !entry.is_null());
            Value::Array(entries.collect())
        }
        _ => Value::Object(members(element)),
    }
}

fn members(element: &Element<'_>) -> Map<String, Value> {
    let mut members = Map::new();
    if element.has_text() {
        members.insert(MIXED_TEXT.to_owned(), Value::String(element.text.clone()));
    }
    for child in &element.children {
        let sent = value(child);
        match members.get_mut(child.name) {
            None => {
                members.insert(child.name.to_owned(), sent);
            }
            Some(before) => add(before, sent),
        }
    }
    members
}

/// Adds what another element of the same name holds; an empty one was not passed.
fn add(before: &mut Value, sent: Value) {
    match (&mut *before, sent) {
        (_, Value::Null) => {}
        (Value::Null, sent) => *before = sent,
        (Value::Array(entries), Value::Array(more)) => entries.extend(more),
        (Value::Array(entries), one) => entries.push(one),
        (_, sent) => {
            let mut entries = vec![std::mem::take(before)];
            match sent {
                Value::Array(more) => entries.extend(more),
                one => entries.push(one),
            }
            *before = Value::Array(entries);
        }
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::WINDOWS_1252;
    use patron_rules::submission::Malformed;
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::encoding;
    use super::*;
    use crate::v1_1::xml;

    /// The customers of a body, as the reader of JSON gets them.
    fn customers(body: &str) -> Value {
        read(body.as_bytes(), None)
            .map_or_else(|error| panic!("{body}: {error}"), |batch| Value::Array(batch.customers))
    }

    fn read(body: &[u8], charset: Option<&str>) -> Result<Batch, Error> {
        decode(&encoding::text(body, Format::Xml, charset)?)
    }

    fn error(body: &[u8], charset: Option<&str>) -> String {
        read(body, charset).map_or_else(|error| error.to_string(), |_| "read".to_owned())
    }

    #[test]
    fn shapes() {
        for (inside, wanted) in [
            ("<customer/>", json!([{}])),
            ("<customer></customer><customer> </customer>", json!([{}, {}])),
            ("<other/><customer/>tail", json!([{}])),
            ("<customer><mobile>91</mobile></customer>", json!([{"mobile": "91"}])),
            ("<customer><m> </m><n/></customer>", json!([{"m": null, "n": null}])),
            ("<customer>text</customer>", json!(["text"])),
            ("<customer>text<m>1</m></customer>", json!([{"#text": "text", "m": "1"}])),
            ("<c:customer xmlns:c='x'><c:m a='1' b=''>1</c:m></c:customer>", json!([{"m": "1"}])),
            ("<customer><m>&lt;&#x41;&#66;&amp;&quot;</m></customer>", json!([{"m": "<AB&\""}])),
            ("<customer><m>a<!-- b -->c<?d e?></m></customer>", json!([{"m": "ac"}])),
            ("<customer><m><![CDATA[<&amp;>]]></m></customer>", json!([{"m": "<&amp;>"}])),
            ("<customer><m>1\r\n2</m></customer>", json!([{"m": "1\n2"}])),
            (
                "<customer><f><x>1</x></f><f/><f><x>2</x></f></customer>",
                json!([{"f": [{"x": "1"}, {"x": "2"}]}]),
            ),
            // The converted form.
            ("<root><customer><m>1</m></customer></root>", json!([{"m": "1"}])),
            ("<customer><element><m>1</m></element><element/></customer>", json!([{"m": "1"}, {}])),
            (
                "<customer><f><field><element><n>1</n></element></field></f></customer>",
                json!([{"f": {"field": [{"n": "1"}]}}]),
            ),
            (
                "<customer><f><element>1</element></f><f>2</f></customer>",
                json!([{"f": ["1", "2"]}]),
            ),
            // Channels side by side, and inside one.
            (
                "<customer><commChannels><channel/></commChannels></customer>",
                json!([{"commChannels": []}]),
            ),
            (
                "<customer><commChannels><channel/><channel><type>email</type></channel></commChannels></customer>",
                json!([{"commChannels": [{"type": "email"}]}]),
            ),
            (
                "<customer><commChannels><type>email</type><meta><residence>1</residence></meta></commChannels></customer>",
                json!([{"commChannels": {"type": "email", "meta": {"residence": "1"}}}]),
            ),
            (
                "<customer><commChannels><channel><type>email</type></channel><channel><type>mobile</type></channel></commChannels></customer>",
                json!([{"commChannels": [{"type": "email"}, {"type": "mobile"}]}]),
            ),
            (
                "<customer><commChannels><c><type>email</type></c></commChannels><commChannels><type>mobile</type></commChannels></customer>",
                json!([{"commChannels": [{"type": "email"}, {"type": "mobile"}]}]),
            ),
            (
                "<customer><commChannels><meta><residence>1</residence></meta></commChannels></customer>",
                json!([{"commChannels": {"meta": {"residence": "1"}}}]),
            ),
        ] {
            assert_eq!(customers(&format!("<root>{inside}</root>")), wanted, "{inside}");
        }
    }

    #[test]
    fn what_is_no_such_document() {
        for (body, message) in [
            ("", "the body holds no element at line 1 column 1"),
            ("x", "text outside of the document element at line 1 column 1"),
            ("{\"root\": {}}", "text outside of the document element at line 1 column 1"),
            ("<root>", "the element `root` is not closed at line 1 column 7"),
            ("<root/>", "root holds no customer at line 1 column 1"),
            ("\n<response/>", "the document element is not `root` at line 2 column 1"),
            (
                "<root><customer/></root><root/>",
                "an element behind the document element at line 1 column 25",
            ),
            (
                "<root><customer/></root>x",
                "text outside of the document element at line 1 column 25",
            ),
            (
                "<root>\n  <customer></root>",
                "ill-formed document: expected `</customer>`, but `</root>` was found at line 2 column 13",
            ),
            (
                "</root>",
                "ill-formed document: close tag `</root>` does not match any open tag at line 1 column 1",
            ),
            (
                "<root><customer",
                "syntax error: tag not closed: `>` not found before end of input at line 1 column 7",
            ),
            ("<root>< customer/></root>", "an element without a name at line 1 column 7"),
            (
                "<root><customer>&nbsp;</customer></root>",
                "an entity that XML does not predefine is not allowed at line 1 column 17",
            ),
            (
                "<root><customer>&#0;</customer></root>",
                "a reference to no character at line 1 column 17",
            ),
            (
                "<root><customer>&#1;</customer></root>",
                "a reference to no character at line 1 column 17",
            ),
            (
                "<root><customer>\0</customer></root>",
                "a character that XML does not allow at line 1 column 17",
            ),
            (
                "<root>\n<customer><m a='1' a='2'/></customer></root>",
                "an element has two attributes of one name at line 2 column 11",
            ),
            (
                "<root><customer>&#xD800;</customer></root>",
                "a reference to no character at line 1 column 17",
            ),
            (
                "<!DOCTYPE root><root><customer/></root>",
                "a document type is not allowed at line 1 column 1",
            ),
            (
                "<?xml version=\"1.0\" encoding=\"klingon\"?><root/>",
                "the encoding `klingon` is not known at line 1 column 1",
            ),
        ] {
            assert_eq!(error(body.as_bytes(), None), message, "{body}");
        }
    }

    #[test]
    fn limits() {
        let nested = |levels: usize| {
            let inside = levels - 2;
            format!(
                "<root><customer>{}{}</customer></root>",
                "<a>".repeat(inside),
                "</a>".repeat(inside)
            )
        };
        assert_eq!(error(nested(32).as_bytes(), None), "read");
        let deep = "nested too deep (32 levels are allowed) at line 1 column 107";
        assert_eq!(error(nested(33).as_bytes(), None), deep);
        assert_eq!(error(nested(1_000_000).as_bytes(), None), deep);
        let many =
            |count: usize| format!("<root><customer>{}</customer></root>", "<a/>".repeat(count));
        assert_eq!(error(many(199_998).as_bytes(), None), "read");
        assert!(
            error(many(199_999).as_bytes(), None)
                .starts_with("too many elements (200000 are allowed)")
        );
        let wide = |bytes: usize| format!("<root><customer a='{}'/></root>", "x".repeat(bytes));
        assert_eq!(error(wide(60_000).as_bytes(), None), "read");
        assert!(error(wide(70_000).as_bytes(), None).starts_with("a tag is too long"));
        let named = format!("<root></{}>", "x".repeat(1_000_000));
        assert!(error(named.as_bytes(), None).len() < 300);
    }

    #[test]
    fn encodings() {
        let body = |declared: &str| {
            format!("{declared}<root><customer><firstname>José</firstname></customer></root>")
        };
        let declared = |label: &str| body(&format!("<?xml version='1.0' encoding='{label}'?>"));
        let utf_16 = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(bytes).collect()
        };
        let latin = |text: &str| WINDOWS_1252.encode(text).0.into_owned();
        for (bytes, charset) in [
            (body("").into_bytes(), None),
            (body("").into_bytes(), Some("utf-8")),
            (declared("UTF-8").into_bytes(), None),
            (format!("\u{feff}{}", body("")).into_bytes(), Some("ISO-8859-1")),
            (latin(&body("")), Some("ISO-8859-1")),
            (latin(&body("")), None),
            (latin(&body("<?xml version='1.0'?>")), None),
            (latin(&declared("iso-8859-1")), None),
            (latin(&declared("utf-8")), Some("latin1")),
            (utf_16(&format!("\u{feff}{}", body("")), u16::to_le_bytes), None),
            (utf_16(&format!("\u{feff}{}", declared("utf-16")), u16::to_be_bytes), Some("utf-16")),
            (utf_16(&body(""), u16::to_be_bytes), Some("utf-16")),
            (utf_16(&body(""), u16::to_le_bytes), None),
            (declared("utf-16").into_bytes(), None),
        ] {
            let read = read(&bytes, charset).unwrap().customers(true);
            assert_eq!(read[0].0.first_name.as_deref(), Some("José"), "{charset:?} {bytes:?}");
        }
        let not_utf_8 = latin("<root>\n<customer><firstname>José");
        assert_eq!(error(&not_utf_8, Some("utf-8")), "the body is not UTF-8 at line 2 column 25");
        assert_eq!(error(b"\xff\xfe<\0r", None), "the body is not UTF-16LE at line 1 column 2");
        assert_eq!(
            error(b"<root/>", Some("utf-7")),
            "the encoding `utf-7` is not known at line 1 column 1"
        );
    }

    #[test]
    fn a_wrong_form_has_its_place() {
        for (inside, message) in [
            (
                "<firstname><a/></firstname>",
                "expected a text, found elements at /root/customer/1/firstname",
            ),
            (
                "<email>a</email><email>b</email>",
                "expected a text, found several elements at /root/customer/1/email",
            ),
            (
                "<firstname>a<b/></firstname>",
                "expected a text, found elements at /root/customer/1/firstname",
            ),
            (
                "<commChannels/><commChannels><type><a/></type></commChannels>",
                "expected a text, found elements at /root/customer/1/commChannels/type",
            ),
        ] {
            let body = format!("<root><customer/><customer>{inside}</customer></root>");
            let read = read(body.as_bytes(), None).unwrap().customers(false);
            assert_eq!(read[0].0.malformed, []);
            let (Submission { malformed, .. }, place) = &read[1];
            let Malformed { member, reason } = malformed.first().unwrap();
            assert_eq!(format!("{reason} at {}", place.pointer(member)), message, "{inside}");
        }
    }

    #[test]
    fn elements_beside_the_customers_are_known() {
        for (inside, unknown) in [
            ("<customer/>", None),
            ("<customer/><other/>", Some("/root/other")),
            ("<first/><customer/><second/>", Some("/root/first")),
            ("text<customer/><other/>", Some("/root/#text")),
            ("<root><customer/><other/></root>", Some("/root/other")),
        ] {
            let body = format!("<root>{inside}</root>");
            let batch = read(body.as_bytes(), None).unwrap();
            assert_eq!(batch.unknown.as_deref(), unknown, "{inside}");
        }
    }

    fn text() -> impl Strategy<Value = Value> {
        prop_oneof!["\\PC{0,12}", "[ -~\\t\\r\\n]{0,12}", "[0-9]{1,30}"].prop_map(Value::String)
    }

    fn not_blank() -> impl Strategy<Value = Value> {
        "[a-z][ -~\\r\\n]{0,8}".prop_map(Value::String)
    }

    fn scalar() -> impl Strategy<Value = Value> {
        prop_oneof![3 => text(), 1 => any::<i64>().prop_map(Value::from), 1 => Just(Value::Null)]
    }

    fn flag() -> impl Strategy<Value = Value> {
        prop_oneof![any::<bool>().prop_map(Value::Bool), text()]
    }

    /// An object with some of these members.
    fn object(members: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
        let pair = |(name, value): (&'static str, BoxedStrategy<Value>)| {
            proptest::option::of(value)
                .prop_map(move |value| value.map(|value| (name.to_owned(), value)))
        };
        let pairs: Vec<_> = members.into_iter().map(pair).collect();
        pairs.prop_map(|pairs| Value::Object(pairs.into_iter().flatten().collect())).boxed()
    }

    /// One entry alone, or an array of some, each with at least this member.
    fn entries(always: &'static str, entry: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
        let entry = (entry, not_blank())
            .prop_map(move |(mut entry, value)| {
                entry[always] = value;
                entry
            })
            .boxed();
        let several = proptest::collection::vec(entry.clone(), 0..4).prop_map(Value::Array);
        prop_oneof![entry, several].boxed()
    }

    fn fields() -> BoxedStrategy<Value> {
        let values = proptest::collection::vec(not_blank(), 2..4).prop_map(Value::Array);
        let value = prop_oneof![scalar(), flag(), values, Just(json!({"no": "value"}))];
        object(vec![("field", entries("name", object(vec![("value", value.boxed())])))])
    }

    fn any_customer() -> impl Strategy<Value = Value> {
        let texts = [
            "mobile",
            "email",
            "external_id",
            "firstname",
            "lastname",
            "type",
            "source",
            "accountId",
            "registered_on",
            "updated_on",
            "registered_till",
            "associated_with",
            "referral_code",
            "gender",
            "ndnc_status",
            "test_control_status",
        ];
        let mut members: Vec<_> = texts.into_iter().map(|name| (name, scalar().boxed())).collect();
        let fraud = prop_oneof![text(), object(vec![("status", scalar().boxed())])];
        let meta = object(vec![("residence", flag().boxed())]);
        let channel = object(vec![
            ("value", scalar().boxed()),
            ("primary", flag().boxed()),
            ("verified", flag().boxed()),
            ("meta", meta),
        ]);
        let subscription = object(vec![
            ("priority", scalar().boxed()),
            ("scope", scalar().boxed()),
            ("is_subscribed", flag().boxed()),
        ]);
        members.extend([
            ("fraud_status", fraud.boxed()),
            ("commChannels", entries("type", channel)),
            ("custom_fields", fields()),
            ("extended_fields", fields()),
            ("subscriptions", object(vec![("subscription", entries("channel", subscription))])),
            (
                "card_details",
                object(vec![("card_number", scalar().boxed()), ("series_code", scalar().boxed())]),
            ),
            ("unheard_of", scalar().boxed()),
        ]);
        object(members)
    }

    proptest! {
        #[test]
        fn both_formats_give_the_same_customers(
            customers in proptest::collection::vec(any_customer(), 1..4),
        ) {
            let body = json!({"root": {"customer": customers}}).to_string();
            let in_xml = xml::from_json(body.as_bytes()).unwrap();
            let json = request::decode(&body).unwrap().customers(true);
            let xml = read(in_xml.as_bytes(), None).unwrap().customers(true);
            let sent = |read: Vec<(Submission, Place)>| -> Vec<_> {
                read.into_iter().map(|(submission, _)| submission).collect()
            };
            prop_assert_eq!(sent(json), sent(xml), "{}", in_xml);
        }

        #[test]
        fn nothing_panics(pieces in proptest::collection::vec(proptest::sample::select(vec![
            "<root>", "</root>", "<customer>", "</customer>", "<customer/>", "<element>", "</element>",
            "<commChannels>", "</commChannels>", "<field>", "</field>", "<", ">", "&", ";", "&lt;",
            "<!--", "-->", "<![CDATA[", "]]>", "<?xml ", "encoding='", "'?>", "text", " ", "\u{e9}", "<!DOCTYPE", ":", "/",
        ]), 0..30)) {
            if let Ok(batch) = read(pieces.concat().as_bytes(), None) {
                assert_eq!(batch.customers(true).len(), batch.count);
            }
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            drop(read(&bytes, None));
            drop(read(&bytes, Some("utf-16")));
            drop(read(&bytes, Some("shift_jis")));
        }
    }
}
